package mongodb

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// server reads a line of the server's structured log.
func (d *reader) server(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, ok := d.when(v.Get("t"))
	if !ok {
		return formats.ErrTime("t")
	}
	attr := v.Get("attr")
	text := func(path string) string { return r.String(attr.Get(path), 256) }
	l := line{r: r, at: at, ctx: r.String(v.Get("ctx"), 64)}
	switch msg := v.Get("msg").Str; msg {
	case "Slow query", "slow query":
		return d.slow(&l, attr, emit)
	case "Connection accepted":
		if n := attr.Get("connectionId"); n.Exists() {
			l.ctx = "conn" + number(n)
			d.conns.Put(l.key(), conn{IP: formats.Address(text("remote"))})
		}
	case "client metadata":
		c := d.conn(&l)
		if a := formats.Address(text("remote")); a != "" {
			c.IP = a
		}
		c.App, c.Agent = text("doc.application.name"), strings.TrimSpace(text("doc.driver.name")+" "+text("doc.driver.version"))
		d.conns.Put(l.key(), c)
	case "Connection ended":
		d.conns.Delete(l.key())
	case "Authentication succeeded", "Successfully authenticated":
		d.login(&l, first(text("principalName"), text("user")), first(text("authenticationDatabase"), text("db")),
			first(text("remote"), text("client")), vigil.OutcomeSuccess, emit)
	case "Authentication failed", "Failed to authenticate":
		if attr.Get("speculative").Bool() && strings.HasPrefix(text("error"), "MechanismUnavailable") {
			return nil // the client goes on with another mechanism
		}
		d.login(&l, first(text("principalName"), text("user")), first(text("authenticationDatabase"), text("db")),
			first(text("remote"), text("client")), vigil.OutcomeDenied, emit)
	case "Checking authorization failed":
		d.refused(&l, first(text("error.errmsg"), text("error")), attr.Get("error.errmsg").Str, emit)
	case "CMD: drop":
		d.dropped(&l, first(text("namespace"), text("ns")), emit)
	case "dropDatabase - starting":
		d.dropped(&l, first(text("db"), text("dbName")), emit)
	case "MongoDB starting":
		d.conns.Clear() // connections are numbered anew
	}
	return nil
}

func first(s ...string) string {
	for _, t := range s {
		if t != "" {
			return t
		}
	}
	return ""
}

// line is a line of a server's log.
type line struct {
	r   *record.Record
	at  time.Time
	ctx string
}

// key is that of the line's connection: a stream may hold the logs of several servers.
func (l *line) key() string { return l.r.Clean(l.r.Carrier.Host, 255) + " " + l.ctx }

func (d *reader) conn(l *line) conn {
	c, _ := d.conns.Get(l.key())
	return c
}

// event makes an event of a connection's line.
func (d *reader) event(l *line, remote string) *vigil.Event {
	c := d.conn(l)
	e := l.r.Event()
	e.Time, e.Session = l.at, l.ctx
	if e.IP = formats.Address(remote); e.IP == "" {
		e.IP = c.IP
	}
	e.Actor.App, e.UserAgent = c.App, c.Agent
	act(e, c.User)
	return e
}

// login notes who a connection is.
func (d *reader) login(l *line, user, db, remote string, out vigil.Outcome, emit func(*vigil.Event)) {
	c := d.conn(l)
	if a := formats.Address(remote); a != "" {
		c.IP = a
	}
	if out == vigil.OutcomeSuccess {
		c.User, c.DB = user, db
	}
	d.conns.Put(l.key(), c)
	e := d.event(l, remote)
	e.Action, e.Outcome = vigil.ActionLogin, out
	act(e, user)
	if e.Store == "" {
		e.Store = db
	}
	emit(e)
}

// slow reads a slow operation.
func (d *reader) slow(l *line, attr gjson.Result, emit func(*vigil.Event)) error {
	if !strings.HasPrefix(l.ctx, "conn") {
		return nil // the server's own work
	}
	e := d.event(l, attr.Get("remote").Str)
	if app := l.r.String(attr.Get("appName"), 128); app != "" {
		e.Actor.App = app
	}
	if user := l.r.String(attr.Get("user"), 256); user != "" {
		act(e, user)
	}
	doc := attr.Get("command")
	if orig := attr.Get("originatingCommand"); orig.IsObject() && doc.IsObject() {
		doc = join(doc, orig)
	}
	if d.operation(l, e, attr.Get("type").Str, attr.Get("ns").Str, doc, attr) {
		emit(e)
	}
	return nil
}

// join puts the command that opened a cursor beside the getMore.
func join(more, orig gjson.Result) gjson.Result {
	if more.Get("originatingCommand").Exists() {
		return more
	}
	raw := strings.TrimRight(strings.TrimSpace(more.Raw), "}")
	if strings.HasSuffix(strings.TrimSpace(raw), "{") {
		return gjson.Parse(`{"originatingCommand":` + orig.Raw + "}")
	}
	_, arg := name(more)
	return gjson.Parse(`{"getMore":` + arg.Raw + `,"collection":` + more.Get("collection").Raw + `,"originatingCommand":` + orig.Raw + "}")
}

// operation fills e with an operation as the log and the profiler describe it. kind is
// the operation's type; "command" and "none" leave it to the document. It reports whether
// it is an access.
func (d *reader) operation(l *line, e *vigil.Event, kind, ns string, doc, counts gjson.Result) bool {
	kind = strings.ToLower(kind)
	verb, _ := name(doc)
	switch kind {
	case "command", "none", "":
	case "query":
		if _, ok := verbs[verb]; !ok || verb == "query" {
			verb = "find"
		}
	default:
		verb = kind
	}
	switch verb {
	case "update", "delete", "remove":
		if d.told(l, strings.Replace(verb, "remove", "delete", 1), ns, doc) {
			return false
		}
	}
	if !d.fill(l.r, e, verb, ns, doc) {
		return false
	}
	switch e.Action {
	case vigil.ActionWrite, vigil.ActionDelete:
		e.Rows = count(counts, "ndeleted", "nModified", "ninserted", "nInserted", "nRemoved", "nMatched")
	default:
		e.Rows = count(counts, "nreturned", "nReturned")
	}
	e.Bytes = count(counts, "reslen", "responseLength")
	if e.Outcome == vigil.OutcomeUnspecified {
		e.Outcome = outcome(count(counts, "errCode", "exceptionCode", "code"))
		if e.Outcome == vigil.OutcomeSuccess && (counts.Get("errName").Exists() || counts.Get("exception").Exists() || counts.Get("ok").Raw == "0") {
			e.Outcome = vigil.OutcomeError
		}
	}
	return true
}

func count(v gjson.Result, keys ...string) int64 {
	for _, k := range keys {
		if n := formats.Count(number(v.Get(k))); n != vigil.Unknown {
			return n
		}
	}
	return vigil.Unknown
}

// told reports whether an update or delete has been told already: the server logs the
// write to its collection, and then the command that held it.
func (d *reader) told(l *line, verb, ns string, doc gjson.Result) bool {
	const within = 2000 // milliseconds
	c := d.conn(l)
	db, collection := split(ns)
	at := l.at.UnixMilli()
	if collection == "$cmd" {
		_, arg := name(doc)
		return c.Wrote == l.r.Clean(verb+" "+db+"."+arg.Str, 512) && at-c.WroteAt >= 0 && at-c.WroteAt < within
	}
	c.Wrote, c.WroteAt = l.r.Clean(verb+" "+ns, 512), at
	d.conns.Put(l.key(), c)
	return false
}

// refused reads "not authorized on DB to execute command { ... }".
func (d *reader) refused(l *line, msg, whole string, emit func(*vigil.Event)) {
	if !strings.HasPrefix(l.ctx, "conn") {
		return
	}
	_, rest, ok := strings.Cut(first(whole, msg), "not authorized on ")
	if !ok {
		return
	}
	db, rest, _ := strings.Cut(rest, " to execute command ")
	doc, _, _ := document(rest)
	e := d.event(l, "")
	if !d.fill(l.r, e, "", db+".$cmd", gjson.Parse(doc)) {
		return
	}
	e.Outcome = vigil.OutcomeDenied
	emit(e)
}

func (d *reader) dropped(l *line, ns string, emit func(*vigil.Event)) {
	if !strings.HasPrefix(l.ctx, "conn") || ns == "" {
		return
	}
	e := d.event(l, "")
	db, collection := split(ns)
	e.Action, e.Resource, e.Shape = vigil.ActionDelete, collection, "drop "+collection
	if collection == "" {
		e.Resource, e.Shape = "database", "dropDatabase"
	}
	if m := d.opts.Mapping; m != nil {
		e.ResourceClass = m.Tables[strings.ToLower(e.Resource)].Class
	}
	if e.Store == "" {
		e.Store = db
	}
	emit(e)
}
