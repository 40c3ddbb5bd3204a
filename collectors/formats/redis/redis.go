// Package redis reads what Redis, Valkey and KeyDB tell of accesses:
//
//   - the output of MONITOR, each command with the client's address and its arguments;
//   - dumps of ACL LOG: refused commands, keys and logins;
//   - dumps of CLIENT LIST, which say who is behind an address.
//
// MONITOR names no user: who an address is comes from CLIENT LIST, ACL LOG and CLIENT
// SETNAME, and is joined to its later commands, at most maxClients addresses, of which
// the least recently used is forgotten first. The state survives a restart. The server's
// log has no clients in it: its lines are recognised and yield nothing.
//
// Keys are read by the mapping's paths that begin with no slash, see [formats.Keys].
// Values are dropped.
//
// Source: Redis documentation, "MONITOR", "ACL LOG", "CLIENT LIST", and the commands'
// key specifications.
package redis

import (
	"regexp"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "redis"

// maxClients bounds the addresses that are remembered.
const maxClients = 20_000

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Redis", Group: formats.GroupDatabases,
			Actor: formats.Partly, Subjects: formats.Yes, Rows: formats.No, Bytes: formats.No, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Redis keeps no log of accesses: MONITOR has to run beside it, and who an address is comes from CLIENT LIST.",
		},
		JSON: isJSON,
		Text: isText,
		New:  newReader,
	})
}

type reader struct {
	opts    formats.Options
	keys    *formats.Keys
	clients *formats.Bounded[string, client]
	// script is the client whose script runs: its commands follow in the stream.
	script string
	acl    aclDump
}

// client is who is behind an address: the user, and the name that the client gave its
// connection.
type client struct{ User, Name, Lib string }

func newReader(opts formats.Options) (record.Reader, error) {
	keys, err := formats.NewKeys(opts.Mapping)
	if err != nil {
		return nil, err
	}
	return &reader{opts: opts, keys: keys, clients: formats.NewBounded[string, client](maxClients)}, nil
}

// isJSON knows an entry of redis-cli --json ACL LOG.
func isJSON(v gjson.Result) float64 {
	for _, key := range []string{"reason", "context", "object", "username", "client-info"} {
		if !v.Get(key).Exists() {
			return 0
		}
	}
	return 0.95
}

var (
	monitor    = regexp.MustCompile(`^\+?(\d{9,11}\.\d{6}) (?:\[(\d+) (\S+)\] )?"`)
	clientList = regexp.MustCompile(`^id=\d+ addr=\S* (?:\S+=\S* )*cmd=`)
	// ACL LOG and TIME as redis-cli shows them to a person.
	shown = regexp.MustCompile(`^ *(?:\d+\) +)*(?:(\d+)\) |\d+# ("[a-z-]+") => )(".*"|\((?:integer|double)\) \S+)$`)
	// The server's log, of all ages.
	serverLine = regexp.MustCompile(`^(?:\d+:[XCSM] |\[\d+\] )?\d{1,2} [A-Z][a-z]{2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{3})? [.*#-] `)
	signalLine = regexp.MustCompile(`^\d+:signal-handler \(\d+\) `)
	banner     = regexp.MustCompile("^[ _.|`'(),/\\\\-]*$|^ *[ _.|`'(),/\\\\-]{3,} *(?:Redis|Valkey|Running in|Port:|PID:|https?://)[^\"{}]*$")
)

// isText knows lines of text.
func isText(text []byte) float64 {
	switch {
	case monitor.Match(text):
		return 0.98
	case clientList.Match(text):
		return 0.95
	case shown.Match(text):
		return 0.6
	case serverLine.Match(text), signalLine.Match(text):
		return 0.9
	case string(text) == "OK", string(text) == "+OK", len(text) < 100 && banner.Match(text), string(text) == "(empty array)":
		return record.IsRecord
	}
	return 0
}

// Read gives out what a record says.
func (d *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	if r.JSON.Exists() {
		entry := make(map[string]string)
		for _, key := range aclKeys {
			entry[key] = r.String(r.JSON.Get(key), 1024)
		}
		return d.refused(r, entry, emit)
	}
	text := r.Text
	if m := monitor.FindSubmatchIndex(text); m != nil {
		return d.command(r, m, emit)
	}
	if clientList.Match(text) {
		d.client(r, string(text))
		return nil
	}
	if m := shown.FindSubmatch(text); m != nil {
		return d.acl.line(d, r, m, emit)
	}
	return nil
}

// client notes who is behind an address, and returns the address.
func (d *reader) client(r *record.Record, list string) string {
	var addr string
	var c client
	for field := range strings.FieldsSeq(list) {
		key, value, _ := strings.Cut(field, "=")
		switch value = r.Clean(value, 128); key {
		case "addr":
			addr = value
		case "user":
			c.User = value
		case "name":
			c.Name = value
		case "lib-name":
			c.Lib = strings.TrimSpace(value + " " + c.Lib)
		case "lib-ver":
			c.Lib = strings.TrimSpace(c.Lib + " " + value)
		}
	}
	if addr != "" {
		d.clients.Put(addr, c)
	}
	return addr
}

// event makes an event of a client.
func (d *reader) event(r *record.Record, addr string) *vigil.Event {
	e := r.Event()
	e.IP, e.Session = formats.Address(addr), addr
	c, _ := d.clients.Get(addr)
	e.Actor.App, e.UserAgent = c.Name, c.Lib
	act(e, c.User)
	return e
}

func act(e *vigil.Event, user string) {
	e.Actor.ID, e.Actor.Kind = user, vigil.KindUnspecified
	if user == "" {
		e.Actor.Kind = vigil.KindAnonymous
		if e.Actor.ID = e.IP; e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	}
}

type savedState struct {
	Addrs   []string
	Clients []client
	Script  string
	ACL     savedDump
}

// State is what is known of clients, and the entry of ACL LOG in hand.
func (d *reader) State() ([]byte, error) {
	s := savedState{Script: d.script, ACL: d.acl.saved()}
	for addr, c := range d.clients.All() {
		s.Addrs, s.Clients = append(s.Addrs, addr), append(s.Clients, c)
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
	for i := range min(len(s.Addrs), len(s.Clients)) {
		d.clients.Put(s.Addrs[i], s.Clients[i])
	}
	d.script = s.Script
	d.acl.restore(s.ACL)
	return nil
}
