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
			Title: "LibreChat", Group: "chatbot", Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Sign-ins alone; who reads what is in the log of its MongoDB and of the web server before it.",
		},
		JSON: func(v gjson.Result) float64 {
			message := v.Get("message")
			switch {
			case !levels[strings.ToLower(v.Get("level").Str)] || message.Type != gjson.String || !v.Get("timestamp").Exists():
				return 0
			case login.MatchString(message.Str):
				return 0.95
			case strings.HasPrefix(message.Str, "["):
				return 0.5 // a line like those between them
			}
			return 0
		},
		Text: func(line []byte) float64 {
			m := layout.FindSubmatch(line)
			switch {
			case m == nil:
				return 0
			case login.Match(m[3]):
				return 0.95
			}
			return 0.5
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

var (
	// layout is a line of the console or of a file: time, level, message; the console may
	// colour it.
	layout = regexp.MustCompile(`^(?:\x1b\[[0-9;]*m)*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?) (?:\x1b\[[0-9;]*m)*(error|warn|info|http|verbose|debug|activity|silly)(?:\x1b\[[0-9;]*m)*: ?(.*)$`)
	// login is the message of a sign-in.
	login = regexp.MustCompile(`^(?:\x1b\[[0-9;]*m)*\[Login\] \[Login (successful|failed)\] \[Username: (.*)\] \[Request-IP: ([^\]\[]*)\]`)
)

type reader struct{ zone *time.Location }

// Read makes an event of a sign-in.
func (rd reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	stamp, message := "", ""
	if r.JSON.Exists() {
		stamp, message = r.Get("timestamp"), r.JSON.Get("message").Str
	} else if m := layout.FindSubmatch(r.Text); m != nil {
		stamp, message = string(m[1]), string(m[3])
	}
	m := login.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(stamp, rd.zone); !ok {
		return formats.ErrTime("timestamp")
	}
	if e.Store == "" {
		e.Store = "librechat"
	}
	e.Action, e.Resource, e.Shape = vigil.ActionLogin, "session", "login"
	e.Outcome = vigil.OutcomeSuccess
	if m[1] == "failed" {
		e.Outcome = vigil.OutcomeDenied
	}
	e.IP = formats.Address(m[3])
	if e.Actor.ID = r.Clean(m[2], 256); e.Actor.ID == "" || e.Actor.ID == "undefined" {
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	}
	emit(e)
	return nil
}
