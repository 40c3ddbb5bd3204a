package sqltable

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
)

// reader reads the table over one connection.
type reader struct {
	t      *Table
	db     store
	table  *ident
	sink   collectors.Sink
	stream *decode.Stream
	// columns are those that are read, cursor is one of them; hidden are of the key, and
	// not among them.
	columns []column
	cursor  column
	hidden  []string
	p       position
	look    look
	// asked is when the gaps were last asked for.
	asked time.Time
}

// Run polls the table until ctx is cancelled. It returns an error when the database is
// away or the table can't be read.
func (t *Table) Run(ctx context.Context, pos []byte, sink collectors.Sink) error {
	err := t.run(ctx, pos, sink)
	if ctx.Err() != nil {
		return nil // nothing is held between two polls
	}
	return err
}

func (t *Table) run(ctx context.Context, pos []byte, sink collectors.Sink) error {
	r, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer r.db.close()
	r.sink = sink
	of := fmt.Sprintf("%s %s sparse=%t", t.name(), t.cfg.Cursor, t.cfg.Sparse)
	r.p = position{Of: of}
	if p := collectors.Position(t.cfg.Decode.Source, pos, t.log, soundOf(of)); p != nil {
		r.p = *p
	}
	r.stream.Restore(r.p.Format)
	r.look.restore(&r.p)
	if err := r.warn(ctx); err != nil {
		return err
	}
	poll := r.sequence
	if r.cursor.kind != kindInteger || t.cfg.Sparse {
		poll = r.window
	}
	for {
		more, err := poll(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		wait := time.NewTimer(t.cfg.Poll)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
}

// Check connects and looks at the table, of which it reads no row. The error says what is
// missing, with the command that mends it where there is one.
func (t *Table) Check(ctx context.Context) error {
	r, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer r.db.close()
	if r.table == nil {
		return nil
	}
	if err := r.db.begin(ctx); err != nil {
		return err
	}
	defer func() { _ = r.db.end(ctx) }()
	rights, who, revoke, err := r.db.writable(ctx, r.table)
	if err != nil {
		return err
	}
	if rights != "" {
		return fmt.Errorf("the user %s may change the audit table (%s), and needs to read it alone; use %s", who, rights, revoke)
	}
	return nil
}

// warn says in the log what Check would refuse.
func (r *reader) warn(ctx context.Context) error {
	if r.table == nil {
		return nil
	}
	if err := r.db.begin(ctx); err != nil {
		return err
	}
	rights, _, revoke, err := r.db.writable(ctx, r.table)
	if err := errors.Join(err, r.db.end(ctx)); err != nil {
		return err
	}
	if rights != "" {
		r.t.log.Warn("the user may change the audit table, and needs to read it alone", "source", r.t.cfg.Decode.Source, "rights", rights, "remedy", revoke)
	}
	return nil
}

// open connects and looks at what there is to read.
func (t *Table) open(ctx context.Context) (*reader, error) {
	db, err := open(ctx, &t.target)
	if err != nil {
		return nil, err
	}
	r := &reader{t: t, db: db, table: identOf(db, t.cfg.Table), stream: decode.NewStream(&t.cfg.Decode, t.name())}
	if err := r.describe(ctx); err != nil {
		db.close()
		var rights *rightsError
		if errors.As(err, &rights) && r.table != nil {
			rights.remedy = db.grant(r.table, t.target.user)
		}
		return nil, err
	}
	return r, nil
}

// describe finds the columns.
func (r *reader) describe(ctx context.Context) error {
	if err := r.db.begin(ctx); err != nil {
		return err
	}
	defer func() { _ = r.db.end(ctx) }()
	from := "(" + replaceCursor(r.t.cfg.Query, func() string { return "NULL" }) + ") q" // nothing is read to describe
	if r.table != nil {
		from = r.table.quoted + " q"
	}
	all, err := r.db.columns(ctx, from)
	if err != nil {
		return err
	}
	var keys []string
	if r.table != nil {
		if keys, err = r.db.keys(ctx, r.table); err != nil {
			return err
		}
	}
	return r.choose(all, keys)
}

// choose takes the columns that are read out of all.
func (r *reader) choose(all []column, keys []string) error {
	cfg := &r.t.cfg
	find := func(name string) int { return slices.IndexFunc(all, func(c column) bool { return c.name == name }) }
	at := find(cfg.Cursor)
	if at < 0 {
		return fmt.Errorf("cursor: there is no column %q", cfg.Cursor)
	}
	r.cursor = all[at]
	switch r.cursor.kind {
	case kindInteger, kindTime, kindLocal, kindDate, kindUUID, kindText:
	default:
		return fmt.Errorf("cursor: %q is of the type %s; it must be a whole number, a time, a UUID or a text that rises with each row", cfg.Cursor, r.cursor.typ)
	}
	for _, name := range cfg.Columns {
		i := find(name)
		if i < 0 {
			return fmt.Errorf("columns: there is no column %q", name)
		}
		if all[i].kind == kindBinary {
			return fmt.Errorf("columns: %q is binary, and no format reads that", name)
		}
	}
	for _, name := range cfg.JSON {
		i := find(name)
		if i < 0 || all[i].kind != kindText && all[i].kind != kindJSON {
			return fmt.Errorf("json: there is no text column %q", name)
		}
		all[i].kind = kindJSON
	}
	for _, c := range all {
		if c.kind != kindBinary && (len(cfg.Columns) == 0 || c.name == cfg.Cursor || slices.Contains(cfg.Columns, c.name)) {
			r.columns = append(r.columns, c)
		}
	}
	r.hidden = slices.DeleteFunc(keys, func(name string) bool {
		return slices.ContainsFunc(r.columns, func(c column) bool { return c.name == name })
	})
	return nil
}

// literal is a value of the cursor in a statement: a number stands there, all else is a
// parameter.
func (r *reader) literal(value string, args *[]string) string {
	if r.cursor.kind == kindInteger {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
		return "NULL"
	}
	*args = append(*args, value)
	return r.db.parameter(len(*args))
}

// column is the cursor's, quoted.
func (r *reader) column() string { return "q." + r.db.quote(r.cursor.name) }

// source returns what stands after FROM where rows from low on are wanted, and adds its
// parameters.
func (r *reader) source(low string, args *[]string) string {
	if r.table != nil {
		return r.table.quoted + " q"
	}
	text := ""
	return "(" + replaceCursor(r.t.cfg.Query, func() string {
		if text == "" || r.t.target.mysql { // PostgreSQL's parameters have numbers: one stands in many places
			text = r.literal(low, args)
		}
		return text
	}) + ") q"
}

// replaceCursor puts something in the place of each :cursor.
func replaceCursor(query string, by func() string) string {
	return cursorAt.ReplaceAllStringFunc(query, func(match string) string { return strings.TrimSuffix(match, ":cursor") + by() })
}

// find reads rows in the order of the cursor. low is a value below which no row is
// wanted, for a query; where builds the condition.
func (r *reader) find(ctx context.Context, low string, limit int, where func(args *[]string) string) ([]row, error) {
	var args []string
	from := r.source(low, &args)
	list := []string{r.column()}
	for _, c := range r.columns {
		list = append(list, r.db.expr(c))
	}
	for _, k := range r.hidden {
		list = append(list, "q."+r.db.quote(k))
	}
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + from
	if cond := where(&args); cond != "" {
		text += " WHERE " + cond
	} else {
		text += " WHERE " + r.column() + " IS NOT NULL"
	}
	text += " ORDER BY " + r.column() + " LIMIT " + strconv.Itoa(limit)
	var out []row
	err := r.db.query(ctx, text, args, func(values [][]byte) error {
		out = append(out, newRow(r.columns, values, len(r.hidden), r.t.cfg.Timezone))
		return nil
	})
	return out, err
}

// highest is the last value of the cursor; nil when there is no row.
func (r *reader) highest(ctx context.Context) (*string, error) {
	var args []string
	low := r.db.least(r.cursor.kind)
	if r.cursor.kind == kindInteger {
		low = lowest
	}
	text := "SELECT " + r.column() + " FROM " + r.source(low, &args) + " WHERE " + r.column() + " IS NOT NULL ORDER BY " + r.column() + " DESC LIMIT 1"
	var out *string
	err := r.db.query(ctx, text, args, func(values [][]byte) error {
		s := string(values[0])
		out = &s
		return nil
	})
	return out, err
}

// hand gives rows and lapses to the sink, with the position after them.
func (r *reader) hand(ctx context.Context, rows []row, lapses []vigil.Lapse) error {
	if len(rows)+len(lapses) == 0 {
		return nil
	}
	now := r.t.now()
	b := collectors.Batch{Source: r.t.cfg.Decode.Source, Lapses: lapses}
	for _, row := range rows {
		before := len(b.Events)
		r.stream.Message(row.place, row.json, now, &b)
		for _, e := range b.Events[before:] {
			r.own(e, row)
		}
	}
	if len(rows) > 0 {
		r.p.Last = now.Unix()
	}
	var err error
	if r.p.Format, err = r.stream.State(); err != nil {
		return err
	}
	if b.Position, err = json.Marshal(r.p); err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	if err := r.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	return nil
}

// own gives an event that took a number of its row for its id another one: a table that
// is emptied gives the numbers again, and the second row of a number would count as the
// first. One that is unique by itself (a UUID) stays.
func (r *reader) own(e *vigil.Event, of row) {
	if e.ID == "" || strings.Trim(e.ID, "0123456789") != "" {
		return
	}
	e.ID = formats.NewIdentity(r.t.cfg.Decode.Source, r.t.name()+"#"+e.ID).ID(of.place, formats.RecordHash(of.json))
}

// lapse is one of this source, from when rows were last read.
func (r *reader) lapse(kind vigil.LapseKind, since, missing int64, text string) vigil.Lapse {
	now := r.t.now().UTC()
	start := time.Unix(cmp.Or(since, r.p.Last), 0).UTC()
	if start.Unix() == 0 || start.After(now) {
		start = now
	}
	return vigil.Lapse{Source: r.t.cfg.Decode.Source, Kind: kind, Start: start, End: now, Missing: missing, Text: text}
}

// changed tells that the table is another one, or went back, and begins anew.
func (r *reader) changed(why, identity string) vigil.Lapse {
	l := r.lapse(vigil.LapseReset, 0, vigil.Unknown, "the table "+r.t.name()+" "+why+"; it is read from its beginning. Ask who did so: rows that were not read before it are lost")
	r.p = position{Of: r.p.Of, Identity: identity, Last: r.p.Last, Format: r.p.Format}
	r.look = look{}
	return l
}

// began, inside a transaction, tells the moment.
func (r *reader) began(ctx context.Context) (snapshot, moment, error) {
	if err := r.db.begin(ctx); err != nil {
		return snapshot{}, moment{}, err
	}
	s, err := r.db.snapshot(ctx, r.table)
	if err != nil {
		return s, moment{}, errors.Join(err, r.db.end(ctx))
	}
	return s, moment{now: r.t.now().Unix(), xmin: s.xmin, xmax: s.xmax}, nil
}
