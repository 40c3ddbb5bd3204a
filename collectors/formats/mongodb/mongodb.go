// Package mongodb reads what MongoDB and what speaks its protocol write about accesses:
//
//   - the server's log of mongod and mongos: structured JSON (4.4 and newer) and text (2.4
//     to 4.2), with slow operations, authentication, and refused commands;
//   - the audit log (Enterprise, Percona, Atlas) as JSON, and that of Amazon DocumentDB;
//   - documents of system.profile, and the DocumentDB profiler's;
//   - organisation and project events and the access history of MongoDB Atlas.
//
// The server's log names a user only where a connection authenticates: that is joined to
// the connection's later lines, at most maxConns connections, of which the least recently
// used is forgotten first. The state survives a restart. Lines about the server itself
// yield nothing.
//
// Sources: MongoDB Manual, "Log Messages", "System Event Audit Messages", "Database
// Profiler Output"; MongoDB Atlas Administration API, "Events"; Amazon DocumentDB
// Developer Guide, "Auditing" and "Profiling".
package mongodb

import (
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "mongodb"

// maxConns bounds the connections that are remembered.
const maxConns = 20_000

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "MongoDB", Group: formats.GroupDatabases,
			Actor: formats.Partly, Subjects: formats.Yes, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Yes,
			Note: "The server's log has rows, of operations slower than slowms only; the audit log has every access, without rows.",
		},
		JSON:   isJSON,
		Text:   isText,
		Params: map[string]string{"timezone": "the zone of times that name none, such as Europe/Berlin"},
		New:    newReader,
	})
}

// reader reads the records of one stream.
type reader struct {
	opts  formats.Options
	zone  *time.Location
	conns *formats.Bounded[string, conn]
}

// conn is what is known of a connection.
type conn struct {
	User, DB, IP, App, Agent string
	// Wrote is the collection of the write that was logged last, at the time WroteAt,
	// in milliseconds since 1970: its command is logged once more.
	Wrote   string
	WroteAt int64
}

func newReader(opts formats.Options) (record.Reader, error) {
	d := &reader{opts: opts, zone: time.UTC, conns: formats.NewBounded[string, conn](maxConns)}
	if z := opts.Params["timezone"]; z != "" {
		zone, err := time.LoadLocation(z)
		if err != nil {
			return nil, fmt.Errorf("timezone %q: %w", z, err)
		}
		d.zone = zone
	}
	return d, nil
}

// isJSON knows the records by keys that nobody else has together.
func isJSON(v gjson.Result) float64 {
	has := func(paths ...string) bool {
		for _, p := range paths {
			if !v.Get(p).Exists() {
				return false
			}
		}
		return true
	}
	switch {
	case has("atype", "ts"):
		return 0.98
	case has("t.$date", "ctx", "msg", "c"):
		return 0.98
	case has("op", "ns", "ts") && (has("millis") || has("client")):
		return 0.95
	case has("eventTypeName", "created") && (has("groupId") || has("orgId")):
		return 0.95
	case has("authResult", "ipAddress", "logLine"):
		return 0.9
	}
	return 0
}

// Read gives out what a record says.
func (d *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	if !r.JSON.Exists() {
		return d.text(r, emit)
	}
	return d.json(r, r.JSON, emit)
}

func (d *reader) json(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	switch {
	case v.Get("atype").Exists():
		return d.audit(r, v, emit)
	case v.Get("t").Exists() && v.Get("ctx").Exists():
		return d.server(r, v, emit)
	case v.Get("op").Exists():
		return d.profile(r, v, emit)
	case v.Get("eventTypeName").Exists():
		return d.atlas(r, v, emit)
	}
	return d.history(r, v, emit)
}

// State is what is known of connections.
func (d *reader) State() ([]byte, error) {
	var s savedState
	for key, c := range d.conns.All() {
		s.Keys, s.Conns = append(s.Keys, key), append(s.Conns, c)
	}
	return cbor.Marshal(s)
}

type savedState struct {
	Keys  []string
	Conns []conn
}

// Restore takes it back.
func (d *reader) Restore(data []byte) error {
	var s savedState
	if len(data) == 0 {
		return nil
	}
	if err := cbor.Unmarshal(data, &s); err != nil {
		return err
	}
	for i := range min(len(s.Keys), len(s.Conns)) {
		d.conns.Put(s.Keys[i], s.Conns[i])
	}
	return nil
}

// when reads a time: extended JSON's {"$date": ...}, text, or milliseconds since 1970.
func (d *reader) when(v gjson.Result) (time.Time, bool) {
	for range 3 {
		if !v.IsObject() {
			break
		}
		if inner := v.Get("$date"); inner.Exists() {
			v = inner
		} else {
			v = v.Get("$numberLong")
		}
	}
	return formats.Time(v.String(), d.zone)
}

// act makes who of a name: nobody is an anonymous actor, named by its address.
func act(e *vigil.Event, user string) {
	e.Actor.ID, e.Actor.Kind = user, vigil.KindUnspecified
	switch {
	case user == "":
		e.Actor.Kind = vigil.KindAnonymous
		if e.Actor.ID = e.IP; e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	case user == "__system" || strings.HasPrefix(user, "mms-"):
		// The servers' own user, and the agents of Atlas and Ops Manager.
		e.Actor.Kind = vigil.KindService
	}
}

// outcome is that of an error code of the server; 0 and vigil.Unknown are none.
func outcome(code int64) vigil.Outcome {
	switch code {
	case 0, vigil.Unknown:
		return vigil.OutcomeSuccess
	case 11, 13, 18, 8000: // UserNotFound, Unauthorized, AuthenticationFailed, and Atlas' own
		return vigil.OutcomeDenied
	}
	return vigil.OutcomeError
}

// split cuts a namespace into database and collection.
func split(ns string) (db, collection string) {
	db, collection, _ = strings.Cut(ns, ".")
	return db, collection
}
