// Package pgbouncer reads the text log of PgBouncer, the connection pooler, 1.5 to 1.25,
// from its file, a container's output or syslog: who logs in from where, who is refused,
// who leaves. PostgreSQL's own log shows the pooler in their place.
//
// PgBouncer tells of an attempt to log in, and of what goes wrong, but not of success. So a
// login waits until its client's next line, at most holdTime of log time or holdEvents
// later events; what was not refused until then has succeeded. A refusal that comes later is
// an event of its own. Events come out in the order of the log.
//
// Connections to the server (S-0x...) are the pool's own and no access. State is the last
// refusal, which PgBouncer tells twice.
package pgbouncer

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "pgbouncer"

var (
	// head is how a line begins: the time, the process (in brackets since 1.8), the level.
	head = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)(?: ([A-Za-z]{1,6}|[+-]\d\d(?::?\d\d)?))? (?:\[(\d+)\]|(\d+)) (FATAL|ERROR|WARNING|LOG|DEBUG|NOISE) `)
	// socket is what a message about a connection begins with: which, of a client or to a
	// server, the database, the user, the address.
	socket = regexp.MustCompile(`^([CS])-(0x[0-9a-f]+): (.*)$`)
	closes = regexp.MustCompile(`^closing because: (.*?)(?: \(age=\d+s?\))?$`)
)

// New returns the format.
func New() formats.Format {
	return format{record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "PgBouncer", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.No, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Logins, refusals and logouts; what is read shows in PostgreSQL's own log, behind the pooler's login.",
		},
		Text: sure,
		Params: map[string]string{
			"log_timezone": "the machine's time zone as an IANA name, where its abbreviation is ambiguous or missing",
			"year":         "the year of the first line, for archives of syslog, whose lines have none",
		},
		New: newReader,
	})}
}

// sure says how sure it is that a line is PgBouncer's.
func sure(line []byte) float64 {
	m := head.FindIndex(line)
	rest := line
	if m != nil {
		rest = line[m[1]:]
	}
	switch {
	case socket.Match(rest):
		return 0.97
	case m != nil && (bytes.HasPrefix(rest, []byte("stats: ")) || bytes.HasPrefix(rest, []byte("Stats: ")) || bytes.Contains(rest, []byte("PgBouncer"))):
		return 0.9
	case m != nil || bytes.HasPrefix(rest, []byte("stats: ")):
		return record.IsRecord
	}
	return 0
}

// reader makes events of lines.
type reader struct {
	clock    pgtime.Clock
	calendar pgtime.Calendar
	// refused is the client and the reason of the last refusal: it is told twice, as a
	// close and as an error.
	refused string
}

func newReader(opts formats.Options) (record.Reader, error) {
	r := &reader{}
	if z := opts.Params["log_timezone"]; z != "" {
		place, err := time.LoadLocation(z)
		if err != nil {
			return nil, fmt.Errorf("pgbouncer: log_timezone %q: %w", z, err)
		}
		r.clock.Place = place
	}
	if y := opts.Params["year"]; y != "" {
		n, err := strconv.Atoi(y)
		if err != nil || n < 1970 || n > 9999 {
			return nil, fmt.Errorf("pgbouncer: year %q is none", y)
		}
		r.calendar.Year = n
	}
	return r, nil
}

// State is the last refusal.
func (r *reader) State() ([]byte, error) { return []byte(r.refused), nil }

// Restore takes it back.
func (r *reader) Restore(state []byte) error {
	if len(state) > 1024 {
		return fmt.Errorf("pgbouncer: a state of %d bytes is none", len(state))
	}
	r.refused = string(state)
	return nil
}

// time is when a line was written; false where that can't be read.
func (r *reader) time(m []string, c record.Carrier) (time.Time, bool) {
	switch {
	case m == nil && c.Stamp != "":
		return r.calendar.Read(c.Stamp, r.clock.Place)
	case m == nil:
		return c.Time, !c.Time.IsZero()
	case m[2] != "":
		return r.clock.Read(m[1] + " " + m[2])
	}
	return formats.Time(m[1], r.clock.Place)
}

// Read reads a line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	text := string(rec.Text)
	m := head.FindStringSubmatch(text)
	if m != nil {
		text = text[len(m[0]):]
	}
	s := socket.FindStringSubmatch(text)
	if s == nil || s[1] != "C" {
		return nil
	}
	who, message, ok := cutClient(s[3])
	if !ok {
		return nil
	}
	at, ok := r.time(m, rec.Carrier)
	if !ok {
		return formats.ErrTime("the line's start")
	}
	e := rec.Event()
	e.Time = at
	if e.Store == "" {
		e.Store = rec.Clean(who.db, 128)
	}
	e.Actor.ID, e.IP = rec.Clean(who.user, 256), formats.Address(who.address)
	e.Session = rec.Clean(s[2]+" "+who.address, 128)
	if !r.means(e, who, s[2], message) {
		return nil
	}
	if e.Actor.ID == "" {
		e.Actor = vigil.Actor{ID: e.IP, Kind: vigil.KindAnonymous}
		if e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	}
	emit(e)
	return nil
}

// means says what a message about a client is, and whether it is an event.
func (r *reader) means(e *vigil.Event, who client, pointer, message string) bool {
	if strings.HasPrefix(message, "login attempt: ") {
		e.Action = vigil.ActionLogin
		r.refused = ""
		return who.user != ""
	}
	reason, told := cutFold(message, "pooler error: ")
	if m := closes.FindStringSubmatch(message); m != nil {
		reason, told = m[1], false
	} else if !told {
		return false
	}
	outcome := refusal(reason)
	if outcome == "" {
		e.Action, e.Outcome = vigil.ActionLogout, vigil.OutcomeSuccess
		return !told && who.user != ""
	}
	same := formats.Clean(pointer+" "+reason, 512)
	again := told && r.refused == same
	r.refused = same
	e.Action, e.Outcome = vigil.ActionLogin, outcome
	return !again && (who.user != "" || outcome == vigil.OutcomeDenied)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// refusals are words of the reasons for which a login fails, and what they are.
var refusals = []struct {
	word    string
	outcome vigil.Outcome
}{
	{"authentication failed", vigil.OutcomeDenied}, {"auth failed", vigil.OutcomeDenied}, {"login rejected", vigil.OutcomeDenied},
	{"no such user", vigil.OutcomeDenied}, {"no such database", vigil.OutcomeDenied}, {"not allowed", vigil.OutcomeDenied},
	{"SSL required", vigil.OutcomeDenied}, {"TLS required", vigil.OutcomeDenied}, {"certificate", vigil.OutcomeDenied}, {"unknown user", vigil.OutcomeDenied},
	{"wrong password", vigil.OutcomeDenied}, {"empty password", vigil.OutcomeDenied}, {"permission denied", vigil.OutcomeDenied}, {"pg_hba", vigil.OutcomeDenied},
	{"does not exist", vigil.OutcomeError}, {"client_login_timeout", vigil.OutcomeError}, {"no more connections allowed", vigil.OutcomeError}, {"too many", vigil.OutcomeError},
	{"cannot connect to server", vigil.OutcomeError}, {"server login", vigil.OutcomeError}, {"unsupported startup parameter", vigil.OutcomeError},
	{"login failed", vigil.OutcomeError}, {"bouncer config error", vigil.OutcomeError}, {"database is disabled", vigil.OutcomeError}, {"is disabled", vigil.OutcomeError},
}

// refusal is the outcome of a login that ended for a reason; empty where the reason ends a
// session instead.
func refusal(reason string) vigil.Outcome {
	for _, r := range refusals {
		if strings.Contains(reason, r.word) {
			return r.outcome
		}
	}
	return ""
}

// client is who is at the other end of a connection. An unknown database or user is empty.
type client struct{ db, user, address string }

// cutClient takes "database/user@address " off a message. Names may hold anything, words of
// the log too: an attempt to log in names both twice, and counts where they agree.
func cutClient(s string) (c client, message string, ok bool) {
	const attempt = " login attempt: "
	for from := 0; ; {
		i := strings.Index(s[from:], attempt)
		if i < 0 {
			break
		}
		if c, ok = clientOf(s[:from+i]); ok && strings.HasPrefix(s[from+i+len(attempt):]+" ", "db="+c.db+" user="+c.user+" ") {
			return c.known(), s[from+i+1:], true
		}
		from += i + 1
	}
	at := -1
	for _, word := range [...]string{" closing because: ", " pooler error: ", " Pooler Error: "} {
		if i := strings.Index(s, word); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return c, "", false
	}
	c, ok = clientOf(s[:at])
	return c.known(), s[at+1:], ok
}

func clientOf(name string) (c client, ok bool) {
	i := strings.LastIndexByte(name, '@')
	if i < 0 {
		return c, false
	}
	c.address = name[i+1:]
	c.db, c.user, ok = strings.Cut(name[:i], "/")
	return c, ok && !strings.Contains(c.address, " ")
}

func (c client) known() client {
	if c.db == "(nodb)" {
		c.db = ""
	}
	if c.user == "(nouser)" {
		c.user = ""
	}
	return c
}
