// Package snowflake reads rows of Snowflake's account usage views, as JSON or as
// comma-separated values: QUERY_HISTORY, LOGIN_HISTORY, ACCESS_HISTORY, SESSIONS,
// GRANTS_TO_USERS and GRANTS_TO_ROLES. Column names may be in upper or lower case.
//
// A query's row does not tell from where it came: that is joined from SESSIONS and
// LOGIN_HISTORY, where they come in the same stream, at most maxSessions of each, the
// least recently used forgotten first. The state survives a restart.
//
// Source: Snowflake documentation, "Account Usage".
package snowflake

import (
	"slices"
	"strings"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "snowflake"

// The bounds of what is remembered.
const (
	maxSessions = 20_000
	shapesKept  = 8192
)

// New returns the format.
func New() formats.Format {
	parser := sync.OnceValue(func() *statement.Parser { return statement.NewParser(shapesKept) })
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Snowflake", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.Yes, Rows: formats.Yes, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Partly,
			Note: "The views are behind by up to 45 minutes (queries) or three hours (accesses).",
		},
		JSON: isJSON,
		CSV: func(columns []string) float64 {
			return sure(func(name string) bool {
				return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
			})
		},
		New: func(opts formats.Options) (record.Reader, error) {
			p := parser()
			p.Warm()
			return &reader{
				opts: opts, statements: p.Reader(opts.Mapping),
				logins: formats.NewBounded[string, string](maxSessions), sessions: formats.NewBounded[string, session](maxSessions),
			}, nil
		},
	})
}

type reader struct {
	opts       formats.Options
	statements *statement.Reader
	// logins are the addresses of logins, by the event's number.
	logins   *formats.Bounded[string, string]
	sessions *formats.Bounded[string, session]
}

// session is what is known of a session.
type session struct{ IP, App string }

// views says by which columns a view's rows are known.
var views = []struct {
	name    string
	columns []string
	sure    float64
}{
	{"queries", []string{"QUERY_TEXT", "QUERY_TYPE", "USER_NAME"}, 0.95},
	{"queries", []string{"QUERY_TEXT", "EXECUTION_STATUS", "USER_NAME"}, 0.95},
	{"accesses", []string{"QUERY_ID", "DIRECT_OBJECTS_ACCESSED", "USER_NAME"}, 0.97},
	{"logins", []string{"EVENT_TYPE", "IS_SUCCESS", "USER_NAME", "REPORTED_CLIENT_TYPE"}, 0.97},
	{"sessions", []string{"SESSION_ID", "LOGIN_EVENT_ID", "USER_NAME"}, 0.95},
	{"grants", []string{"CREATED_ON", "GRANTED_BY", "GRANTED_TO", "GRANTEE_NAME"}, 0.95},
	{"grants", []string{"CREATED_ON", "GRANTED_BY", "ROLE", "GRANTEE_NAME"}, 0.95},
}

func view(has func(string) bool) (name string, sure float64) {
	for _, v := range views {
		if !slices.ContainsFunc(v.columns, func(c string) bool { return !has(c) }) {
			return v.name, v.sure
		}
	}
	return "", 0
}

func sure(has func(string) bool) float64 {
	_, s := view(has)
	return s
}

func isJSON(v gjson.Result) float64 {
	return sure(func(name string) bool { return column(v, name).Exists() })
}

// column is a column of a row, whatever the case of its name.
func column(v gjson.Result, name string) gjson.Result {
	if c := v.Get(name); c.Exists() {
		return c
	}
	return v.Get(strings.ToLower(name))
}

// Read gives out what a row says.
func (d *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	row := row{r}
	name, _ := view(func(name string) bool { return column(r.JSON, name).Exists() })
	switch name {
	case "queries", "accesses":
		return d.query(row, emit)
	case "logins":
		return d.login(row, emit)
	case "grants":
		return d.grant(row, emit)
	}
	// A session: who its user's client is, and from where.
	if id := row.text("SESSION_ID"); id != "" {
		ip, _ := d.logins.Get(row.text("LOGIN_EVENT_ID"))
		app := row.text("CLIENT_APPLICATION_ID")
		if env := column(r.JSON, "CLIENT_ENVIRONMENT"); app == "" && env.Exists() {
			app = r.Clean(gjson.Get(env.String(), "APPLICATION").String(), 128)
		}
		d.sessions.Put(id, session{IP: ip, App: app})
	}
	return nil
}

// row is a row of a view.
type row struct{ r *record.Record }

func (w row) text(names ...string) string {
	for _, n := range names {
		if s := w.r.String(column(w.r.JSON, n), 512); s != "" && s != "null" && s != `\N` {
			return s
		}
	}
	return ""
}

func (w row) count(names ...string) int64 {
	for _, n := range names {
		if c := formats.Count(w.text(n)); c != vigil.Unknown {
			return c
		}
	}
	return vigil.Unknown
}

// event makes an event at the time in the first of the columns that has one.
func (w row) event(times ...string) (*vigil.Event, error) {
	e := w.r.Event()
	for _, n := range append(times, "p_event_time") {
		if t, ok := formats.Time(w.text(n), nil); ok {
			e.Time = t
			user := w.text("USER_NAME")
			act(e, user)
			return e, nil
		}
	}
	return nil, formats.ErrTime(times[0])
}

func act(e *vigil.Event, user string) {
	e.Actor.ID = user
	switch user {
	case "":
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
	case "SYSTEM", "SNOWFLAKE":
		e.Actor.Kind = vigil.KindService
	}
}

func (d *reader) login(w row, emit func(*vigil.Event)) error {
	e, err := w.event("EVENT_TIMESTAMP")
	if err != nil {
		return err
	}
	e.ID, e.IP = w.text("EVENT_ID"), formats.Address(w.text("CLIENT_IP"))
	if e.IP == "0.0.0.0" {
		e.IP = "" // Snowflake's own
	}
	if e.ID != "" && e.IP != "" {
		d.logins.Put(e.ID, e.IP)
	}
	e.UserAgent = strings.TrimSpace(w.text("REPORTED_CLIENT_TYPE") + " " + w.text("REPORTED_CLIENT_VERSION"))
	e.Action, e.Shape = vigil.ActionLogin, strings.ToLower(w.text("FIRST_AUTHENTICATION_FACTOR"))
	if strings.EqualFold(w.text("EVENT_TYPE"), "LOGOUT") {
		e.Action = vigil.ActionLogout
	}
	e.Outcome = vigil.OutcomeSuccess
	if strings.EqualFold(w.text("IS_SUCCESS"), "NO") {
		e.Outcome = vigil.OutcomeDenied
	}
	emit(e)
	return nil
}

// grant reads a row of GRANTS_TO_USERS or GRANTS_TO_ROLES.
func (d *reader) grant(w row, emit func(*vigil.Event)) error {
	times, action := []string{"CREATED_ON"}, vigil.ActionGrant
	if deleted := w.text("DELETED_ON"); deleted != "" {
		times, action = []string{"DELETED_ON"}, vigil.ActionConfigure
	}
	e, err := w.event(times...)
	if err != nil {
		return err
	}
	e.Actor.Kind = vigil.KindUnspecified
	act(e, w.text("GRANTED_BY"))
	e.Actor.Role = w.text("GRANTED_BY")
	e.Action, e.Outcome = action, vigil.OutcomeSuccess
	e.Resource = "role " + w.text("ROLE", "NAME", "GRANTEE_NAME")
	e.Shape = strings.ToLower(strings.Join(strings.Fields("grant "+w.text("PRIVILEGE")+" on "+w.text("GRANTED_ON")+" to "+w.text("GRANTED_TO")), " "))
	if on := w.text("GRANTED_ON"); on != "" && on != "ROLE" {
		e.Resource = w.text("NAME")
		if t, ok := d.table(e.Resource); ok {
			e.ResourceClass = t.Class
		}
	}
	if e.Store == "" {
		e.Store = w.text("TABLE_CATALOG")
	}
	emit(e)
	return nil
}

type savedState struct {
	Logins, LoginIPs []string
	SessionIDs       []string
	Sessions         []session
}

// State is what is known of logins and sessions.
func (d *reader) State() ([]byte, error) {
	var s savedState
	for id, ip := range d.logins.All() {
		s.Logins, s.LoginIPs = append(s.Logins, id), append(s.LoginIPs, ip)
	}
	for id, c := range d.sessions.All() {
		s.SessionIDs, s.Sessions = append(s.SessionIDs, id), append(s.Sessions, c)
	}
	return cbor.Marshal(s)
}

// Restore takes it back.
func (d *reader) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var s savedState
	if err := cbor.Unmarshal(data, &s); err != nil {
		return err
	}
	for i := range min(len(s.Logins), len(s.LoginIPs)) {
		d.logins.Put(s.Logins[i], s.LoginIPs[i])
	}
	for i := range min(len(s.SessionIDs), len(s.Sessions)) {
		d.sessions.Put(s.SessionIDs[i], s.Sessions[i])
	}
	return nil
}
