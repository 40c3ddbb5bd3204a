package mysql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// The bounds of what is remembered.
const (
	maxThreads  = 20_000
	waitRecords = 512
	waitTime    = 2 * time.Second
	maxWaiting  = 2048
	maxTables   = 100 // of one statement
	maxEnded    = 1024
	maxName     = 256
	maxParts    = 100 // events of one record
)

// access is what a record tells beside the statement.
type access struct {
	At                         time.Time
	Thread, User, Host, IP, DB string
	App, Shape                 string
	Outcome                    vigil.Outcome
	Rows, Affected, Bytes      int64
}

// table is one that a statement touched.
type table struct {
	DB, Name string
	Action   vigil.Action
}

// waiting is an event that another record may add to, or tables whose statement has not
// been read.
type waiting struct {
	Key, Thread, Class string
	Event              *vigil.Event // nil for tables alone
	Access             access
	Tables             []table
	ID                 string
	Origin             vigil.Origin
	// Offset and Line tell the line that was read when it began.
	Offset int64
	Line   uint64
	Seen   int64
	done   bool
}

// reader makes events of records. It keeps the contract of record.Stateful.
type reader struct {
	opts       formats.Options
	zone       *time.Location
	statements *statement.Reader
	threads    threads

	// emit takes events that waited; set during a call of the decoder.
	emit formats.Emit
	// line and offset are those of the line being read.
	line   uint64
	offset int64

	second  time.Time // the general log's last time
	last    time.Time // the last time read
	slowDB  string
	records int64

	order []*waiting
	byKey map[string]*waiting
	// endings are statements that were told of lately.
	endings map[string]ending
	ring    []string
	ringAt  int
}

// ending is a statement that made its event: by which class of records, and when.
type ending struct {
	class string
	at    time.Time
}

func newReader(opts formats.Options, zone *time.Location, statements *statement.Reader) *reader {
	return &reader{opts: opts, zone: zone, statements: statements, threads: newThreads(), byKey: make(map[string]*waiting), endings: make(map[string]ending)}
}

// Read reads one record.
func (rd *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	if r.JSON.Exists() {
		return rd.json(r, emit)
	}
	switch kindOf(r.Text) {
	case kindGeneral:
		return rd.general(r, emit)
	case kindSlow:
		return rd.slow(r, emit)
	case kindAudit:
		return rd.audit(r, emit)
	case kindXML:
		return rd.xml(r, emit)
	}
	return nil // what begins a log, or a line of an error log
}

// tick brings out what has waited too long.
func (rd *reader) tick(at time.Time) {
	rd.records++
	if !at.IsZero() {
		rd.last = at
	}
	for len(rd.order) > 0 {
		w := rd.order[0]
		if !w.done {
			if rd.records-w.Seen < waitRecords && at.Sub(w.Access.At) < waitTime && len(rd.order) < maxWaiting {
				return
			}
			rd.release(w)
		}
		rd.order[0] = nil
		rd.order = rd.order[1:]
	}
}

// oldest is what has waited longest, nil for nothing.
func (rd *reader) oldest() *waiting {
	for len(rd.order) > 0 {
		if w := rd.order[0]; !w.done {
			return w
		}
		rd.order[0] = nil
		rd.order = rd.order[1:]
	}
	return nil
}

func (rd *reader) releaseAll() {
	for _, w := range rd.order {
		rd.release(w)
	}
	rd.order = nil
}

// release brings out what waits, once.
func (rd *reader) release(w *waiting) {
	if w.done {
		return
	}
	w.done = true
	if rd.byKey[w.Key] == w {
		delete(rd.byKey, w.Key)
	}
	e := w.Event
	if e == nil {
		if e = rd.ofTables(w); e == nil {
			return
		}
	}
	e.ID, e.Origin = w.ID, w.Origin
	if rd.emit == nil || e.Validate() != nil {
		return
	}
	rd.emit(e, formats.Line{Offset: w.Origin.Offset, Number: w.Origin.Line})
}

func (rd *reader) wait(w *waiting, r *record.Record) {
	a := &w.Access
	for _, s := range []*string{&a.Thread, &a.User, &a.Host, &a.IP, &a.DB, &a.App, &w.Thread} {
		*s = formats.Clean(*s, maxName) // State is text that can be read again
	}
	w.Key = strings.ToValidUTF8(w.Key, "_")
	w.ID, w.Origin = r.ID(), r.Origin()
	w.Offset, w.Line, w.Seen = rd.offset, rd.line, rd.records
	if have := rd.byKey[w.Key]; have != nil {
		rd.release(have)
	}
	rd.byKey[w.Key] = w
	rd.order = append(rd.order, w)
}

// hold makes an event that the thread's next record may add to. known says that nothing
// can be added.
func (rd *reader) hold(r *record.Record, a *access, action vigil.Action, known bool) error {
	e, err := rd.event(a)
	if err != nil {
		return err
	}
	e.Action = action
	w := &waiting{Key: "login/" + a.Thread, Thread: a.Thread, Event: e, Access: *a}
	rd.wait(w, r)
	if known {
		rd.release(w)
	}
	return nil
}

// settle ends the wait of a thread's login. It reports whether there was one.
func (rd *reader) settle(thread string, outcome vigil.Outcome) bool {
	if len(rd.byKey) == 0 {
		return false
	}
	w := rd.byKey["login/"+thread]
	if w == nil {
		return false
	}
	if w.Event.Outcome == vigil.OutcomeUnspecified {
		w.Event.Outcome = outcome
	}
	rd.release(w)
	return true
}

// table notes that a statement touches a table. It is part of the statement's event if
// that comes, before or after, and an event of its own if not.
func (rd *reader) table(r *record.Record, a *access, key, class string, t table) {
	w := rd.byKey[key]
	switch {
	case w != nil && w.Event != nil:
		rd.enrich(w.Event, []table{t})
	case w != nil:
		if len(w.Tables) < maxTables && !slices.Contains(w.Tables, t) {
			w.Tables = append(w.Tables, t)
		}
	default:
		if e, ok := rd.endings[key]; ok && e.class != class && a.At.Sub(e.at).Abs() < 10*time.Second {
			return
		}
		rd.wait(&waiting{Key: key, Thread: a.Thread, Class: class, Access: *a, Tables: []table{t}}, r)
	}
}

// ended notes that a statement makes its event now, and returns the tables that were
// told of it.
func (rd *reader) ended(key, class string, at time.Time) (tables []table) {
	if w := rd.byKey[key]; w != nil && w.Event == nil {
		tables = w.Tables
		w.done = true
		delete(rd.byKey, key)
	}
	if _, known := rd.endings[key]; !known {
		if len(rd.ring) < maxEnded {
			rd.ring = append(rd.ring, key)
		} else {
			delete(rd.endings, rd.ring[rd.ringAt])
			rd.ring[rd.ringAt] = key
			rd.ringAt = (rd.ringAt + 1) % maxEnded
		}
	}
	rd.endings[key] = ending{class, at}
	return tables
}

// event makes an event of what a record tells.
func (rd *reader) event(a *access) (*vigil.Event, error) {
	e := vigil.NewEvent()
	e.Time, e.Source, e.Store = a.At, rd.opts.Source, rd.opts.Store
	e.Actor.ID, e.Actor.App = formats.Clean(a.User, maxName), formats.Clean(a.App, maxName)
	if e.IP = formats.Address(a.IP); e.IP == "" {
		e.IP = formats.Address(a.Host)
	}
	if e.Actor.ID == "" {
		if a.Host == "" && a.IP == "" {
			return nil, formats.Errorf("actor", "nobody is named: the connection began before the log that was read; who connects is known from then on")
		}
		e.Actor.Kind, e.Actor.ID = vigil.KindAnonymous, e.IP
		if e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	}
	if a.At.IsZero() {
		return nil, formats.Errorf("time", "the record has no time, and none before it had one")
	}
	if e.Store == "" {
		e.Store = formats.Clean(a.DB, maxName)
	}
	e.Session, e.Outcome, e.Shape = formats.Clean(a.Thread, 64), a.Outcome, a.Shape
	return e, nil
}

// simple gives out an event that is no statement.
func (rd *reader) simple(_ *record.Record, a *access, action vigil.Action, resource string, emit func(*vigil.Event)) error {
	e, err := rd.event(a)
	if err != nil {
		return err
	}
	e.Action, e.Resource = action, resource
	emit(e)
	return nil
}

// statement gives out what a statement does.
func (rd *reader) statement(_ *record.Record, a *access, sql string, tables []table, emit func(*vigil.Event)) error {
	events, err := rd.events(a, sql, tables)
	for _, e := range events {
		emit(e)
	}
	return err
}

// events makes the events of a statement's text, most often one.
func (rd *reader) events(a *access, sql string, tables []table) ([]*vigil.Event, error) {
	if strings.TrimSpace(sql) == "" {
		return nil, nil
	}
	results := read(rd.statements, sql)
	n := 0
	for i := range results {
		if results[i].Action != "" && !results[i].Ignored {
			n++
		}
	}
	if n == 0 {
		return rd.hidden(a, results, tables)
	}
	events := make([]*vigil.Event, 0, n)
	for i := range results {
		res := &results[i]
		if res.Action == "" || res.Ignored || len(events) == maxParts {
			continue
		}
		e, err := rd.event(a)
		if err != nil {
			return nil, err
		}
		fromStatement(e, res)
		if n == 1 {
			e.Rows, e.Bytes = a.figures(e.Action)
			if e.Outcome == vigil.OutcomeUnspecified && e.Rows > 0 {
				e.Outcome = vigil.OutcomeSuccess
			}
			rd.enrich(e, tables)
		}
		events = append(events, e)
	}
	return events, nil
}

// hidden makes the event of a statement whose text tells of no access, as EXECUTE, from
// the tables that it touched.
func (rd *reader) hidden(a *access, results []statement.Result, tables []table) ([]*vigil.Event, error) {
	if len(results) != 1 || results[0].Ignored {
		return nil, nil
	}
	switch results[0].Command {
	case "EXECUTE", "SET", "DO", "CALL", "SELECT":
	default:
		return nil, nil // LOCK, SHOW and their like read nothing for a user
	}
	w := &waiting{Access: *a, Tables: tables}
	e := rd.ofTables(w)
	if e == nil {
		return nil, nil
	}
	e.Outcome = a.Outcome
	e.Rows, e.Bytes = a.figures(e.Action)
	return []*vigil.Event{e}, nil
}

// figures are the rows that an action sent or changed, and the bytes that it sent.
func (a *access) figures(action vigil.Action) (rows, bytes int64) {
	switch {
	case action.Discloses():
		rows = a.Rows
	case action == vigil.ActionWrite || action == vigil.ActionDelete:
		rows = a.Affected
	default:
		return vigil.Unknown, vigil.Unknown
	}
	if bytes = a.Bytes; bytes == 0 && rows > 0 {
		bytes = vigil.Unknown // MariaDB does not count those of prepared statements
	}
	return rows, bytes
}

// fromStatement adds what a statement says.
func fromStatement(e *vigil.Event, res *statement.Result) {
	e.Action, e.Resource, e.ResourceClass = res.Action, formats.Clean(res.Resource, maxName), res.Class
	e.Subjects, e.SubjectCount, e.Limit = res.Subjects, res.SubjectCount, res.Limit
	e.Fields, e.Unbounded, e.Shape = res.Fields, res.Unbounded, res.Shape
	if len(res.Conversations) == 1 {
		e.Conversation = res.Conversations[0]
	}
	if len(res.Tenants) == 1 {
		e.ResourceTenant = res.Tenants[0]
	}
	if len(res.Tickets) > 0 {
		e.Ticket = res.Tickets[0]
	}
	if res.Destination != "" {
		e.Destination = &vigil.Destination{Kind: res.Destination}
	}
}

// mapped finds a table in the mapping.
func (rd *reader) mapped(t table) (formats.Table, bool) {
	if rd.opts.Mapping == nil {
		return formats.Table{}, false
	}
	return statement.TableOf(rd.opts.Mapping, strings.ToLower(t.DB+"."+t.Name))
}

// enrich adds tables that a statement's text does not show: those of a view or a
// procedure.
func (rd *reader) enrich(e *vigil.Event, tables []table) {
	if e.ResourceClass != "" {
		return
	}
	for _, t := range tables {
		if m, ok := rd.mapped(t); ok && !m.Ignore {
			e.Resource, e.ResourceClass = strings.ToLower(t.Name), m.Class
			return
		}
	}
	if e.Resource == "" && len(tables) > 0 {
		e.Resource = strings.ToLower(tables[0].Name)
	}
}

// ofTables makes the event of a statement of which nothing but its tables is known; nil
// when they are all the server's own or ignored.
func (rd *reader) ofTables(w *waiting) *vigil.Event {
	action := vigil.Action("")
	var about *table
	class := ""
	for i := range w.Tables {
		t := &w.Tables[i]
		m, ok := rd.mapped(*t)
		if ok && m.Ignore || !ok && own(strings.ToLower(t.DB)+".") {
			continue
		}
		if action == "" || action == vigil.ActionRead {
			action = t.Action
		}
		if about == nil || class == "" && ok {
			about, class = t, m.Class
		}
	}
	if about == nil {
		return nil
	}
	e, err := rd.event(&w.Access)
	if err != nil {
		return nil
	}
	e.Action, e.Resource, e.ResourceClass = action, strings.ToLower(about.Name), class
	e.Shape = fmt.Sprintf("%s %s", action, e.Resource)
	return e
}
