// Package keycloak reads Keycloak's events: the lines of the jboss-logging listener in the
// server's log, plain, in JSON or in a container's log, and events and admin events as
// the admin API, and listeners that post JSON, give them.
//
// One event is one event here. The other lines of the server's log are no accesses and
// yield nothing.
package keycloak

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "keycloak"

const paramZone = "timezone"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Keycloak events and admin events", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Successes are logged only when told so: --spi-events-listener-jboss-logging-success-level=info.",
		},
		JSON:   sure,
		Text:   line,
		Params: map[string]string{paramZone: "the server's time zone, such as Europe/Berlin or +01:00; UTC without it"},
		New: func(opts formats.Options) (record.Reader, error) {
			r := reader{zone: time.UTC}
			if name := opts.Params[paramZone]; name != "" {
				var err error
				if at, aerr := time.Parse("-07:00", name); aerr == nil {
					_, offset := at.Zone()
					r.zone = time.FixedZone(name, offset)
				} else if r.zone, err = time.LoadLocation(name); err != nil {
					return nil, fmt.Errorf("format keycloak: parameter timezone: there is no time zone %q", name)
				}
			}
			return r, nil
		},
	})
}

func sure(v gjson.Result) float64 {
	realm := v.Get("realmId").Exists() || v.Get("realmName").Exists()
	switch {
	case v.Get("operationType").Exists() && v.Get("resourceType").Exists() && (v.Get("authDetails").IsObject() || realm):
		return 0.95
	case v.Get("type").Type == gjson.String && realm && v.Get("time").Exists() && (v.Get("ipAddress").Exists() || v.Get("clientId").Exists() || v.Get("userId").Exists()):
		return 0.95
	case strings.HasPrefix(v.Get("loggerName").Str, "org.keycloak") && v.Get("message").Exists():
		return 0.9
	case v.Get("loggerName").Exists() && v.Get("loggerClassName").Exists() && v.Get("threadName").Exists() && v.Get("message").Exists():
		return 0.5 // another logger of the same server
	}
	return 0
}

// line recognises lines of the server's log, and the lines of stack traces between them.
func line(t []byte) float64 {
	switch {
	case bytes.Contains(t, []byte("[org.keycloak.events]")):
		return 0.95
	case isEvent(string(t[:min(len(t), 200)])):
		return 0.9
	case stamped(t) && bytes.Contains(t[:min(len(t), 120)], []byte("[org.keycloak")):
		return 0.9
	case stamped(t):
		return 0.6
	case bytes.HasPrefix(t, []byte("at ")) && bytes.HasSuffix(t, []byte(")")) || bytes.HasPrefix(t, []byte("Caused by: ")) || bytes.HasPrefix(t, []byte("... ")) && bytes.HasSuffix(t, []byte(" more")):
		return 0.5
	}
	return 0
}

// isEvent says that a text is the listener's message alone.
func isEvent(s string) bool {
	return (strings.HasPrefix(s, "type=") || strings.HasPrefix(s, "operationType=")) && strings.Contains(s, "realmId=")
}

// stamped says that a line begins as the server's log does:
// 2026-11-02 09:00:00,123 INFO  [logger] (thread).
func stamped(t []byte) bool {
	if len(t) < 30 || t[4] != '-' || t[7] != '-' || t[10] != ' ' || t[13] != ':' || t[19] != ',' && t[19] != '.' {
		return false
	}
	rest := t[min(len(t), 23):]
	open := bytes.IndexByte(rest[:min(len(rest), 16)], '[')
	return open > 0 && bytes.Contains(rest[open:min(len(rest), 300)], []byte("] ("))
}

type reader struct{ zone *time.Location }

func (k reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	var ev event
	var err error
	switch {
	case !r.JSON.Exists():
		ev, err = k.fromLine(r, string(r.Text), r.Carrier.Time)
	case r.JSON.Get("loggerName").Exists():
		at, _ := formats.Time(r.JSON.Get("timestamp").String(), k.zone)
		ev, err = k.fromLine(r, r.JSON.Get("message").String(), at)
	default:
		ev, err = fromJSON(r)
	}
	if err != nil || ev.fields == nil {
		return err
	}
	e, err := ev.access(r)
	if e != nil {
		emit(e)
	}
	return err
}

// event is one of Keycloak's events.
type event struct {
	at     time.Time
	id     string
	fields map[string]string
}

// fromLine reads a line of the server's log, or the listener's message alone.
func (k reader) fromLine(r *record.Record, text string, at time.Time) (event, error) {
	message := text
	if stamped([]byte(text)) {
		if !strings.Contains(text[:min(len(text), 200)], "[org.keycloak.events]") {
			return event{}, nil
		}
		if t, ok := formats.Time(strings.Replace(text[:23], ",", ".", 1), k.zone); ok {
			at = t
		} else {
			return event{}, formats.ErrTime("the line's start")
		}
		_, rest, _ := strings.Cut(text, "] (")
		_, message, _ = strings.Cut(rest, ") ")
	} else if i := strings.Index(text[:min(len(text), 300)], "type="); i >= 0 && strings.Contains(text[:i], "[org.keycloak.events]") {
		// Another pattern of the log.
		if j := strings.Index(text, "operationType="); j >= 0 && j < i {
			i = j
		}
		message = text[i:]
		if at.IsZero() {
			at = stampIn(text[:i], k.zone)
		}
	}
	if !isEvent(message[:min(len(message), 400)]) && !isEvent(unescape(message[:min(len(message), 400)])) {
		return event{}, nil
	}
	if at.IsZero() {
		return event{}, formats.ErrTime("the line's start")
	}
	return event{at: at, fields: pairs(r, unescape(message))}, nil
}

// stampIn finds a time at a line's start.
func stampIn(head string, zone *time.Location) time.Time {
	f := strings.Fields(head)
	for i := 0; i < len(f) && i < 3; i++ {
		s := strings.Trim(f[i], "[]")
		if i+1 < len(f) && len(s) == 10 {
			s += " " + strings.Replace(strings.Trim(f[i+1], "[]"), ",", ".", 1)
		}
		if t, ok := formats.Time(s, zone); ok && len(s) >= 19 {
			return t
		}
	}
	return time.Time{}
}

// unescape takes the backslashes off quotes that somebody escaped on the way.
func unescape(s string) string {
	if strings.HasPrefix(s, `type=\"`) || strings.HasPrefix(s, `operationType=\"`) {
		return strings.ReplaceAll(s, `\"`, `"`)
	}
	return s
}

// maxPairs bounds the fields of an event.
const maxPairs = 100

// pairs reads key=value, key="value", key='value'. Of a key that comes twice the first
// counts: what a user typed stands behind what the server says.
func pairs(r *record.Record, s string) map[string]string {
	out := map[string]string{}
	for len(s) > 0 && len(out) < maxPairs {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		var value string
		if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
			end := closing(rest[1:], rest[0])
			value = rest[1 : end+1]
			rest = rest[min(end+2, len(rest)):]
			_, s, _ = strings.Cut(rest, ",")
		} else {
			value, s = unquoted(rest)
		}
		key = strings.TrimSpace(key)
		if _, had := out[key]; !had && key != "" && len(key) <= 64 {
			if value == "null" {
				value = ""
			}
			out[key] = r.Clean(value, 512)
		}
	}
	return out
}

// closing is where a quoted value ends: at the next quote without a backslash before it.
func closing(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return len(s)
}

// unquoted ends at a comma that a name and an equals sign follow.
func unquoted(s string) (value, rest string) {
	for at := 0; ; {
		i := strings.Index(s[at:], ", ")
		if i < 0 {
			return s, ""
		}
		i += at
		next := s[i+2:]
		eq := strings.IndexByte(next[:min(len(next), 65)], '=')
		if eq > 0 && isName(next[:eq]) {
			return s[:i], next
		}
		at = i + 2
	}
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

// fromJSON reads an event as the admin API gives it.
func fromJSON(r *record.Record) (event, error) {
	at, ok := formats.Time(r.JSON.Get("time").String(), nil)
	if !ok {
		if at, ok = formats.Time(r.JSON.Get("@timestamp").String(), nil); !ok {
			return event{}, formats.ErrTime("time")
		}
	}
	f := map[string]string{}
	for _, key := range [...]string{"type", "operationType", "resourceType", "resourcePath", "realmId", "realmName", "clientId", "userId", "sessionId", "ipAddress", "error"} {
		f[key] = r.Get(key)
	}
	for key, path := range map[string]string{"userId": "authDetails.userId", "clientId": "authDetails.clientId", "ipAddress": "authDetails.ipAddress"} {
		if s := r.Get(path); s != "" {
			f[key] = s
		}
	}
	for key, path := range map[string]string{"username": "details.username", "code_id": "details.code_id", "impersonator": "details.impersonator"} {
		f[key] = r.Get(path)
	}
	if s := r.Get("authDetails.username"); s != "" {
		f["username"] = s
	}
	return event{at: at, id: r.Get("id"), fields: f}, nil
}
