// Package librechat reads who signed in to LibreChat, from its server's log: the JSON
// form of its console (CONSOLE_JSON=true) and its lines of text. LibreChat writes no log
// of who read a conversation. It follows the product's source; none of an installation
// was at hand.
package librechat

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "librechat",
		Tells: formats.Tells{
			Title: "LibreChat", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Sign-ins alone; who reads what is in the log of its MongoDB and of the web server before it.",
		},
		JSON: func(v gjson.Result) float64 {
			message := v.Get("message")
			if !levels[v.Get("level").Str] || message.Type != gjson.String || !v.Get("timestamp").Exists() {
				return 0
			}
			return certainty(message.Str)
		},
		Text: func(line []byte) float64 {
			_, message, ok := cut(line)
			if !ok {
				return 0
			}
			return max(certainty(message), record.IsRecord)
		},
		Params: map[string]string{"timezone": "the zone of the console's times, which name none, such as Europe/Berlin"},
		New: func(opts formats.Options) (record.Reader, error) {
			rd := reader{time.UTC}
			if name := opts.Params["timezone"]; name != "" {
				zone, err := time.LoadLocation(name)
				if err != nil {
					return nil, fmt.Errorf("format librechat: parameter timezone: %w", err)
				}
				rd.zone = zone
			}
			return rd, nil
		},
	})
}

// levels are those of LibreChat's logger.
var levels = map[string]bool{"error": true, "warn": true, "info": true, "http": true, "verbose": true, "debug": true, "activity": true, "silly": true}

// layout is how a line of the console or of a file begins: time, level. The console may
// colour it.
var layout = regexp.MustCompile(`^(?:\x1b\[[0-9;]*m)*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?) (?:\x1b\[[0-9;]*m)*(?:error|warn|info|http|verbose|debug|activity|silly)(?:\x1b\[[0-9;]*m)*: ?(?:\x1b\[[0-9;]*m)*`)

// cut takes a line of text apart.
func cut(line []byte) (stamp, message string, ok bool) {
	m := layout.FindSubmatchIndex(line[:min(len(line), 120)])
	if m == nil {
		return "", "", false
	}
	return string(line[m[2]:m[3]]), string(line[m[1]:]), true
}

// certainty is how sure it is that a message is LibreChat's.
func certainty(message string) float64 {
	switch _, _, _, ok := login(message); {
	case ok:
		return 0.95
	case strings.HasPrefix(message, "["):
		return record.IsRecord // a line like those between sign-ins
	}
	return 0
}

// login reads the message of a sign-in. The name is what was typed: what stands behind
// the last mark of an address is the server's.
func login(message string) (name, address string, failed, ok bool) {
	rest, ok := strings.CutPrefix(message, "[Login] [Login successful] [Username: ")
	if !ok {
		if rest, failed = strings.CutPrefix(message, "[Login] [Login failed] [Username: "); !failed {
			return "", "", false, false
		}
	}
	name, address, ok = cutLast(rest, "] [Request-IP: ")
	address, _, _ = strings.Cut(address, "]")
	return name, address, failed, ok
}

// cutLast cuts at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

type reader struct{ zone *time.Location }

// Read makes an event of a sign-in.
func (rd reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	stamp, message := r.Get("timestamp"), r.JSON.Get("message").Str
	if !r.JSON.Exists() {
		stamp, message, _ = cut(r.Text)
	}
	name, address, failed, ok := login(message)
	if !ok {
		return nil
	}
	e := r.Event()
	if e.Time, ok = formats.Time(stamp, rd.zone); !ok {
		return formats.ErrTime("timestamp")
	}
	if e.Store == "" {
		e.Store = "librechat"
	}
	e.Action, e.Resource, e.Shape = vigil.ActionLogin, "session", "login"
	e.Outcome = vigil.OutcomeSuccess
	if failed {
		e.Outcome = vigil.OutcomeDenied
	}
	e.IP = formats.Address(address)
	if e.Actor.ID = r.Clean(name, 256); e.Actor.ID == "" || e.Actor.ID == "undefined" {
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	}
	emit(e)
	return nil
}
