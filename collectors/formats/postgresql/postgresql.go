// Package postgresql reads the logs of PostgreSQL servers, 9.6 to 18: stderr text
// with any log_line_prefix, csvlog of every width, and jsonlog, each also within what
// carries logs: syslog, containers' logs, the JSON of cloud providers. In each, the
// statements that the server logs itself (log_statement, log_min_duration_statement),
// the lines of pgaudit, and connections.
//
// A collector calls it: one decoder a stream, not safe for concurrent use; the
// decoders of one [Format] share what is known of statements, which is safe.
//
// A record may span lines, and an access may be told of by several records (the
// statement, its audit lines, its duration, its error). They are joined by
// session, so that each access is one event: an event waits for the session's
// next record, at most holdRecords records or holdTime of log time. Flush brings
// out what waits; a decoder goes on after it.
//
// State holds who is connected (user, database, application, host), at most
// maxSessions, the least recently seen forgotten first, and which events after
// Pending have come out already. Chatter of the server is neither event nor
// error. What cannot be read is an error for quarantine.
package postgresql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // log_timezone must work on machines without a zone database

	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "postgresql"

// shapesKept bounds the statement shapes that decoders of one format remember.
const shapesKept = 8192

// Format makes decoders. It is safe for concurrent use.
type Format struct {
	once   sync.Once
	parser *statement.Parser
}

var _ formats.Format = (*Format)(nil)

// New returns the format.
func New() *Format { return &Format{} }

// Name returns "postgresql".
func (*Format) Name() string { return Name }

func (f *Format) statements() *statement.Parser {
	f.once.Do(func() { f.parser = statement.NewParser(shapesKept) })
	return f.parser
}

// Params are the settings that a decoder may be given.
//
//	log_line_prefix  the server's setting, for stderr text; found from the sample or the lines when empty
//	log_timezone     the server's setting as an IANA name, where a zone's abbreviation is ambiguous
//	variant          "stderr", "csvlog", "jsonlog", or "wrapped" for those within syslog, JSON or a container's log; found from the sample or the first line when empty
//	year             the year of the first line, for archives of syslog, whose lines have none; else the last one in which it does not lie ahead
func params() []string { return []string{"log_line_prefix", "log_timezone", "variant", "year"} }

// New makes a decoder. Unknown params, a prefix that PostgreSQL would not accept
// or that has no time, and an unknown zone are errors that name them.
func (f *Format) New(opts formats.Options) (formats.Decoder, error) {
	for k := range opts.Params {
		if !slices.Contains(params(), k) {
			return nil, fmt.Errorf("postgresql: unknown param %q; known are %s", k, strings.Join(params(), ", "))
		}
	}
	d := newDecoder(opts)
	if z := opts.Params["log_timezone"]; z != "" {
		place, err := time.LoadLocation(z)
		if err != nil {
			return nil, fmt.Errorf("postgresql: log_timezone %q: %w", z, err)
		}
		d.clock.Place = place
	}
	if text := opts.Params["log_line_prefix"]; text != "" {
		p, err := compilePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("postgresql: %w", err)
		}
		if !p.has("mtn") && opts.Params["variant"] != "wrapped" && !carried([]byte(firstLine(opts.Sample))) {
			return nil, fmt.Errorf("postgresql: log_line_prefix %q has no time: add %%m", text)
		}
		d.prefix = p
	}
	if y := opts.Params["year"]; y != "" {
		n, err := strconv.Atoi(y)
		if err != nil || n < 1970 || n > 9999 {
			return nil, fmt.Errorf("postgresql: year %q is none", y)
		}
		d.calendar.Year = n
	}
	switch v := opts.Params["variant"]; v {
	case "":
		if first := firstLine(opts.Sample); first != "" {
			d.choose([]byte(first))
		}
	case "wrapped":
		d.frame = newWrapped(d)
	case "stderr":
		d.frame = newStderr(d)
	case "csvlog":
		d.frame = newCSV(d)
	case "jsonlog":
		d.frame = newJSON(d)
	default:
		return nil, fmt.Errorf("postgresql: variant %q is not stderr, csvlog, jsonlog or wrapped", v)
	}
	parser := f.statements()
	parser.Warm()
	d.statements = parser.Reader(opts.Mapping)
	return d, nil
}
