// Package mysql reads the logs of MySQL, MariaDB and Percona servers: the general query
// log, the slow query log, the audit logs (MariaDB's server_audit as file and syslog, as
// Amazon RDS and Aurora write it too; MySQL Enterprise Audit and Percona's as JSON and
// XML; Azure's), which are told apart by looking. Error logs are known and hold no access.
//
// A collector calls it: one decoder a stream, not safe for concurrent use; the decoders
// of one [Format] share what is known of statements, which is safe.
//
// The text logs name the user where a connection begins and not at its statements: who
// is connected is remembered, for at most maxThreads connections, the least recently
// seen forgotten first. What several records tell of one statement is one access: an
// event that another record may add to waits for at most waitRecords records or waitTime
// of log time, and comes out at Flush. State holds all of that.
//
// In the text logs a statement stands as its author wrote it, line ends and all, so it
// can hold lines that look like records. Those within a string or a comment are part of
// the statement, which is set aside as forged besides.
package mysql

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // time_zone must work on machines without a zone database

	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// shapesKept bounds the statement shapes that decoders of one format remember.
const shapesKept = 8192

// Format makes decoders. It is safe for concurrent use. MySQL and MariaDB are read by
// the same decoder; they are two formats because people know which of them they have.
type Format struct {
	name    string
	mariadb bool
	tells   formats.Tells
	once    sync.Once
	parser  *statement.Parser
}

var _ formats.Format = (*Format)(nil)

// New returns the format "mysql".
func New() *Format {
	return &Format{name: "mysql", tells: formats.Tells{
		Title: "MySQL", Group: formats.GroupDatabases, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly,
		Outcome: formats.Partly, Address: formats.Yes,
		Note: "The slow query log with long_query_time=0 tells rows and bytes; the general log and most audit logs do not.",
	}}
}

// NewMariaDB returns the format "mariadb".
func NewMariaDB() *Format {
	return &Format{name: "mariadb", mariadb: true, tells: formats.Tells{
		Title: "MariaDB", Group: formats.GroupDatabases, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly,
		Outcome: formats.Partly, Address: formats.Yes,
		Note: "The slow query log with long_query_time=0 tells rows and bytes; server_audit tells who failed, and no rows.",
	}}
}

// Name returns "mysql" or "mariadb".
func (f *Format) Name() string { return f.name }

// Tells says what its records tell.
func (f *Format) Tells() formats.Tells { return f.tells }

func (f *Format) statements() *statement.Parser {
	f.once.Do(func() { f.parser = statement.NewParser(shapesKept) })
	return f.parser
}

// params are the settings that a decoder may be given.
//
//	time_zone  the server's, as an IANA name, for logs whose times have no zone
//	           (MariaDB's, and MySQL's before 5.7); UTC when empty
var params = map[string]string{"time_zone": "the server's time zone, for logs whose times have none"}

// New makes a decoder. Unknown params and an unknown zone are errors that name them.
func (f *Format) New(opts formats.Options) (formats.Decoder, error) {
	for k := range opts.Params {
		if _, ok := params[k]; !ok {
			return nil, fmt.Errorf("%s: unknown param %q; known is time_zone", f.name, k)
		}
	}
	zone := time.UTC
	if z := opts.Params["time_zone"]; z != "" {
		var err error
		if zone, err = time.LoadLocation(z); err != nil {
			return nil, fmt.Errorf("%s: time_zone %q: %w", f.name, z, err)
		}
	}
	parser := f.statements()
	parser.Warm()
	rd := newReader(opts, zone, parser.Reader(opts.Mapping))
	spec := f.spec()
	spec.New = func(formats.Options) (record.Reader, error) { return rd, nil }
	opts.Params = nil
	inner, err := record.New(spec).New(opts)
	if err != nil {
		return nil, err
	}
	return &decoder{inner: inner, reader: rd}, nil
}

// spec describes the records that stand alone.
func (f *Format) spec() record.Spec {
	return record.Spec{
		Name: f.name, Tells: f.tells, Params: params, JSON: sureOfJSON,
		Text: func(text []byte) float64 {
			if kindOf(text) == kindNone {
				return 0
			}
			return sure
		},
	}
}

// sure is the certainty of what is unmistakable.
const sure = 0.95

// Detect says how sure it is that the sample is of a server of this name.
func (f *Format) Detect(sample []byte) float64 {
	share := record.New(f.spec()).Detect(sample)
	if text, ok := textShare(sample); ok {
		share = max(share, text)
	}
	if share < record.IsRecord {
		return share * 0.8
	}
	if f.mariadb == ofMariaDB(sample) {
		return share
	}
	return min(0.4, share*0.4)
}

// textShare is how much of a sample's lines are records of the text logs, those apart
// that go on with a record; ok is false when there is no such record.
func textShare(sample []byte) (share float64, ok bool) {
	known, lines := 0, 0
	within := false // a record whose statement may go on
	for line := range strings.Lines(string(sample)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		kind := kindOf([]byte(line))
		switch {
		case kind != kindNone:
			known++
			lines++
			if kind == kindSlow || kind == kindGeneral || kind == kindXML {
				ok = true
			}
			within = kind != kindAudit
		case within:
		default:
			lines++
		}
		if lines >= 200 {
			break
		}
	}
	if known == 0 {
		return 0, false
	}
	ok = ok || known > 0
	return sure * float64(known) / float64(lines), ok
}

// ofMariaDB says that a sample is of a MariaDB server rather than of MySQL's or Percona's.
func ofMariaDB(sample []byte) bool {
	maria, mysql := 0, 0
	for line := range strings.Lines(string(sample)) {
		b := []byte(strings.TrimRight(line, "\r\n"))
		carried := len(b) > 0 && b[0] == '{' && !strings.Contains(line, "audit_record")
		switch kindOf(b) {
		case kindAudit:
			if a, ok := readAudit(b); ok && len(a.stamp) > 10 && !strings.Contains(a.stamp, " ") {
				mysql += 2 // Aurora
			} else {
				maria++
			}
		case kindGeneral:
			if b[0] == '2' && len(b) > 10 && b[4] == '-' {
				mysql += 2
			} else {
				maria++
			}
		case kindSlow:
			if strings.Contains(line, "  Id: ") || strings.HasPrefix(line, "# Time: ") && strings.Contains(line[8:], "T") {
				mysql += 2
			}
		case kindBanner:
			if strings.Contains(line, "MariaDB") {
				maria += 100
			} else if strings.Contains(line, "Version") {
				mysql += 100
			}
		case kindError:
			switch {
			case strings.Contains(line, "MariaDB") || len(b) > 12 && b[4] == '-' && b[10] == ' ':
				maria++
			default:
				mysql++
			}
		default:
			// The head of a slow log's record, or one that something carries.
			switch {
			case strings.Contains(line, "  QC_hit: "), strings.Contains(line, "server_audit"):
				maria += 2
			case carried && (strings.Contains(line, ",QUERY,") || strings.Contains(line, ",READ,") || strings.Contains(line, "MariaDB")):
				maria++
			}
		}
	}
	return maria > mysql
}

// kind is what a line of text is, by how it begins.
type kind uint8

const (
	kindNone    kind = iota
	kindSlow         // the head of a slow log's record
	kindGeneral      // a general log's record
	kindAudit        // a line of server_audit
	kindXML          // an <AUDIT_RECORD>
	kindBanner       // what a server writes at the start of a log
	kindError        // a line of an error log
)

// kindOf tells a line, or a record of several, by its beginning.
func kindOf(line []byte) kind {
	if len(line) < 6 {
		return kindNone
	}
	switch c := line[0]; {
	case c == '#':
		if hasPrefix(line, "# Time: ") || hasPrefix(line, "# User@Host: ") {
			return kindSlow
		}
		return kindNone
	case c == '<':
		if hasPrefix(line, "<AUDIT_RECORD") {
			return kindXML
		}
		if hasPrefix(line, "<?xml") || hasPrefix(line, "<AUDIT>") || hasPrefix(line, "</AUDIT>") {
			return kindBanner
		}
		return kindNone
	case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		if _, ok := readGeneral(line); ok {
			return kindGeneral
		}
		if c >= '0' && c <= '9' {
			if _, ok := readAudit(line); ok {
				return kindAudit
			}
			if isError(line) {
				return kindError
			}
		}
		if t := trimLeft(line); len(t) > 4 && hasPrefix(t, "<AUDIT_RECORD") {
			return kindXML
		}
		return kindNone
	}
	switch {
	case hasPrefix(line, "InnoDB: "), hasPrefix(line, "Version: '"), hasPrefix(line, "ERROR: 1"):
		return kindError
	case isBanner(line):
		return kindBanner
	}
	if _, ok := readAudit(line); ok {
		return kindAudit
	}
	return kindNone
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// isBanner knows the three lines that begin a text log.
func isBanner(line []byte) bool {
	if len(line) > 1024 {
		return false
	}
	s := string(line)
	return strings.Contains(s, ", Version: ") && strings.Contains(s, "started with:") || strings.HasPrefix(s, "Tcp port: ") ||
		strings.HasPrefix(s, "TCP Port: ") || strings.HasPrefix(s, "Time ") && strings.Contains(s, "Id Command") || strings.HasPrefix(s, "Time\t") && strings.Contains(s, "Id Command")
}

// isError knows an error log's line by its time and what follows.
func isError(line []byte) bool {
	s := string(line[:min(len(line), 120)])
	words := strings.Fields(s)
	if len(words) < 3 {
		return false
	}
	var rest []string
	switch {
	case len(words[0]) > 18 && words[0][4] == '-' && words[0][10] == 'T':
		rest = words[1:]
	case (len(words[0]) == 6 && allDigits(words[0]) || len(words[0]) == 10 && words[0][4] == '-' && words[0][7] == '-') && strings.Count(words[1], ":") == 2:
		rest = words[2:]
	default:
		return false
	}
	thread := len(rest) > 1 && allDigits(strings.TrimPrefix(rest[0], "0x"))
	if thread {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return false
	}
	return slices.Contains([]string{"[Note]", "[Warning]", "[ERROR]", "[System]", "[Error]"}, rest[0]) ||
		!thread && (strings.HasPrefix(rest[0], "InnoDB:") || rest[0] == "mysqld_safe" || rest[0] == "mariadbd-safe" || strings.HasPrefix(rest[0], "Percona"))
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
