// Package supavisor reads the text log of Supavisor, Supabase's connection pooler: who logs
// in from where, who is refused, who leaves. PostgreSQL's own log shows the pooler in their
// place.
//
// Its lines have the time of day alone. The date is that of what carried the line (a
// container's log, syslog); else that of the setting, from which each midnight counts on;
// else the last one in which the time does not lie ahead of the reading.
package supavisor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "supavisor"

var (
	// line is the time of day, what is known of the client, the level, the message.
	line = regexp.MustCompile(`^(\d\d):(\d\d):(\d\d)\.(\d{3}) ((?:[a-z_]+=[^\[\]]*? )*?)\[(debug|info|notice|warning|warn|error|critical|alert|emergency)\] (.*)$`)
	// unknown is who is looked for in vain: the kind of name, the user, the tenant.
	unknown = regexp.MustCompile(`\{:[a-z]+, "([^"]*)", (?:"([^"]*)"|nil)\}`)
	refused = regexp.MustCompile(`(?i)exchange error|not allowed|authentication failed|wrong password|user not found|auth error|address not allowed|\((?:EAUTH|EADDRNOTALLOWED|ESSLREQUIRED)`)
	failed  = regexp.MustCompile(`(?i)checkout failed|max clients|too many|auth timeout`)
	left    = regexp.MustCompile(`(?i)terminate received|socket closed|client (?:disconnected|terminated)`)
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Supavisor, Supabase's pooler", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.No, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Logins, refusals and logouts; its lines have no date.",
		},
		Text:   sure,
		Params: map[string]string{"date": "the date of the first line, such as 2026-11-24, for files of the past; UTC"},
		New: func(opts formats.Options) (record.Reader, error) {
			r := &reader{now: time.Now}
			if d := opts.Params["date"]; d != "" {
				day, err := time.Parse("2006-01-02", d)
				if err != nil {
					return nil, fmt.Errorf("supavisor: date %q is not like 2026-11-24", d)
				}
				r.Day = day
			}
			return r, nil
		},
	})
}

func sure(text []byte) float64 {
	m := line.FindSubmatch(text)
	switch {
	case m == nil:
		return 0
	case strings.Contains(string(m[5]), "region="), strings.HasPrefix(string(m[7]), "ClientHandler: "), strings.HasPrefix(string(m[7]), "DbHandler: "):
		return 0.95
	}
	return 0.3 // another program in Elixir
}

type reader struct {
	// Day is the date of the last line, Of its time of day; zero when nobody told.
	Day time.Time
	Of  time.Duration
	now func() time.Time
}

// State is the date of the last line.
func (r *reader) State() ([]byte, error) { return json.Marshal(r) }

// Restore takes it back.
func (r *reader) Restore(state []byte) error { return json.Unmarshal(state, r) }

// at dates a time of day.
func (r *reader) at(of time.Duration, carried time.Time) time.Time {
	const day = 24 * time.Hour
	if !carried.IsZero() {
		// Written a little before it was carried, perhaps on the day before.
		t := carried.UTC().Truncate(day).Add(of)
		if t.Sub(carried) > day/2 {
			t = t.Add(-day)
		} else if carried.Sub(t) > day/2 {
			t = t.Add(day)
		}
		return t
	}
	switch {
	case r.Day.IsZero():
		now := r.now().UTC()
		if r.Day = now.Truncate(day); r.Day.Add(of).After(now.Add(time.Hour)) {
			r.Day = r.Day.Add(-day)
		}
	case r.Of-of > day/2:
		r.Day = r.Day.Add(day)
	case of-r.Of > day/2 && r.Of > 0:
		return r.Day.Add(of - day) // a straggler from before midnight
	}
	r.Of = of
	return r.Day.Add(of)
}

// Read reads a line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	m := line.FindStringSubmatch(string(rec.Text))
	if m == nil {
		return nil
	}
	clock, err := time.Parse("15:04:05.000", m[1]+":"+m[2]+":"+m[3]+"."+m[4])
	if err != nil {
		return formats.ErrTime("the line's start")
	}
	at := r.at(time.Duration(clock.Hour())*time.Hour+time.Duration(clock.Minute())*time.Minute+time.Duration(clock.Second())*time.Second+time.Duration(clock.Nanosecond()), rec.Carrier.Time)
	message, ok := strings.CutPrefix(m[7], "ClientHandler: ")
	if !ok {
		return nil
	}
	e := rec.Event()
	e.Time = at
	switch {
	case strings.HasPrefix(message, "Connection authenticated"):
		e.Action, e.Outcome = vigil.ActionLogin, vigil.OutcomeSuccess
	case refused.MatchString(message):
		e.Action, e.Outcome = vigil.ActionLogin, vigil.OutcomeDenied
	case failed.MatchString(message):
		e.Action, e.Outcome = vigil.ActionLogin, vigil.OutcomeError
	case left.MatchString(message) && !strings.Contains(message, "auth_"):
		e.Action, e.Outcome = vigil.ActionLogout, vigil.OutcomeSuccess
	default:
		return nil
	}
	about := m[5]
	e.Actor.ID, e.Actor.App = rec.Clean(value(about, "user"), 256), rec.Clean(value(about, "app_name"), 128)
	e.Actor.Tenant = rec.Clean(value(about, "project"), 128)
	e.IP = formats.Address(value(about, "peer_ip"))
	if u := unknown.FindStringSubmatch(message); u != nil && e.Actor.ID == "" {
		e.Actor.ID, e.Actor.Tenant = rec.Clean(u[1], 256), rec.Clean(u[2], 128)
	}
	if e.Actor.ID == "" {
		if e.IP == "" || e.Action == vigil.ActionLogout {
			return nil
		}
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	emit(e)
	return nil
}

// value is that of a key in "key=value key=value ". Names that clients choose may hold
// spaces and equals signs. The pooler writes the address last, so the last one counts; of
// the others the first, up to the next key that the pooler writes.
func value(about, key string) string {
	i := strings.Index(" "+about, " "+key+"=")
	if key == "peer_ip" {
		i = strings.LastIndex(" "+about, " "+key+"=")
	}
	if i < 0 {
		return ""
	}
	rest := about[i+len(key)+1:]
	end := len(rest)
	for _, next := range []string{"project", "user", "region", "mode", "type", "app_name", "peer_ip", "instance_id", "cloud_provider", "db_name", "state"} {
		if j := strings.Index(rest, " "+next+"="); j >= 0 && j < end {
			end = j
		}
	}
	return strings.TrimSpace(rest[:end])
}
