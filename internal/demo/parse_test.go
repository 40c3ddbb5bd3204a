package demo_test

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
	"vigil/internal/demo"
)

// seen is what the parser made of one actor within one stretch of time.
type seen struct {
	events, rows            int64
	subjects, conversations map[string]bool
	resources, addresses    map[string]bool
}

func (s *seen) add(e *vigil.Event) {
	s.events++
	s.rows += max(0, e.Rows)
	for _, id := range e.Subjects {
		s.subjects[id] = true
	}
	if e.Conversation != "" {
		s.conversations[e.Conversation] = true
	}
	s.resources[e.Resource] = true
	s.addresses[e.IP] = true
}

func newSeen() *seen {
	return &seen{subjects: map[string]bool{}, conversations: map[string]bool{}, resources: map[string]bool{}, addresses: map[string]bool{}}
}

// parse reads the whole recording as vigil does and calls f with each event.
func parse(t *testing.T, f func(e *vigil.Event)) {
	t.Helper()
	r, err := demo.Log()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, formats.MaxSample)
	sample, err := in.Peek(formats.MaxSample)
	if err != nil {
		t.Fatal(err)
	}
	format := postgresql.New()
	if sure := format.Detect(sample); sure < 0.8 {
		t.Errorf("the format is recognised with %.2f, want 0.8 at least", sure)
	}
	dec, err := format.New(formats.Options{Source: "demo", Store: demo.Store, File: demo.Name, Sample: sample, Mapping: demo.Mapping()})
	if err != nil {
		t.Fatal(err)
	}
	emit := func(e *vigil.Event, _ formats.Line) {
		if err := e.Validate(); err != nil {
			t.Errorf("line %d: %v", e.Origin.Line, err)
		}
		f(e)
	}
	var l formats.Line
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, formats.MaxLine)
	for sc.Scan() {
		l.Text = sc.Bytes()
		l.Number++
		if err := dec.Decode(l, emit); err != nil {
			var bad *formats.Error
			errors.As(err, &bad)
			t.Fatalf("line %d was set aside: %v", l.Number, err)
		}
		l.Offset += int64(len(l.Text)) + 1
	}
	if err := errors.Join(sc.Err(), dec.Flush(emit)); err != nil {
		t.Fatal(err)
	}
}

// accesses counts, in the log itself, the statements that touch a table: audited
// ones, on one or more lines, and refused ones.
func accesses(t *testing.T) int64 {
	t.Helper()
	var n int64
	current := map[string]string{}
	eachLine(t, func(_ int64, l logLine) {
		audit, isAudit := strings.CutPrefix(l.rest, "AUDIT: SESSION,")
		switch {
		case strings.HasPrefix(l.rest, "connection received"):
			delete(current, l.pid)
		case l.refused:
			n++
		case isAudit && !strings.Contains(audit, ",READ,SELECT,,,"):
			if id, _, _ := strings.Cut(audit, ","); current[l.pid] != id {
				current[l.pid] = id
				n++
			}
		}
	})
	return n
}

func TestEveryStatementBecomesAnEvent(t *testing.T) {
	t.Parallel()
	truth := key(t)
	var events, statements, named int64
	var last time.Time
	thefts := make([]*seen, len(truth.Breaches))
	for i := range thefts {
		thefts[i] = newSeen()
	}
	bot := map[string]map[string]bool{}
	parse(t, func(e *vigil.Event) {
		events++
		// The decoder holds an access back for a moment, until all that is said of
		// it has come.
		if e.Time.Before(last.Add(-10 * time.Second)) {
			t.Errorf("line %d goes back from %s to %s", e.Origin.Line, last, e.Time)
		}
		last = e.Time
		if e.Action != vigil.ActionLogin && e.Action != vigil.ActionLogout {
			statements++
		}
		if len(e.Subjects) > 0 || e.Conversation != "" {
			named++
		}
		if e.Actor.ID == "bot_chat" && e.Conversation != "" {
			if bot[e.Conversation] == nil {
				bot[e.Conversation] = map[string]bool{}
			}
			for _, s := range e.Subjects {
				bot[e.Conversation][s] = true
			}
		}
		for i, b := range truth.Breaches {
			hostile := b.Kind != "vendor-token-theft" || e.IP == b.Addresses[0] || e.IP == b.Addresses[1]
			if e.Actor.ID == b.Actor && hostile && !e.Time.Before(b.Start) && !e.Time.After(b.End.Add(time.Second)) {
				thefts[i].add(e)
			}
		}
	})
	if want := accesses(t); statements != want {
		t.Errorf("%d events of statements, the log holds %d", statements, want)
	}
	// The server does not log what touches its own catalog alone.
	if missing := truth.Statements - statements; missing < 0 || missing > 60 {
		t.Errorf("%d events of statements, the key says %d statements", statements, truth.Statements)
	}
	if named < statements*6/10 {
		t.Errorf("%d of %d statements name a subject or a conversation, want most", named, statements)
	}
	for c, subjects := range bot {
		if len(subjects) > 1 {
			t.Errorf("the bot read %d customers in conversation %s", len(subjects), c)
		}
	}
	for i, b := range truth.Breaches {
		s := thefts[i]
		t.Logf("%s: %d events, %d rows, %d subjects and %d conversations by id, key: %d statements, %d rows, %d customers",
			b.Kind, s.events, s.rows, len(s.subjects), len(s.conversations), b.Statements, b.Rows, b.Customers)
		for _, a := range b.Addresses {
			if !s.addresses[a] {
				t.Errorf("%s: no event from %s", b.Kind, a)
			}
		}
		for _, table := range b.Tables {
			if !s.resources[table] && table != "messages" {
				t.Errorf("%s: no event on %s, only on %v", b.Kind, table, s.resources)
			}
		}
		if s.events < b.Statements || s.rows < b.Rows*9/10 {
			t.Errorf("%s: %d events and %d rows, the key says %d and %d", b.Kind, s.events, s.rows, b.Statements, b.Rows)
		}
	}
	t.Logf("%d events, %d of statements, %d with a subject or conversation", events, statements, named)
}
