//go:build !race

package traffic_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
	"vigil/collectors/formats/nginx"
	"vigil/collectors/formats/postgresql"
	"vigil/internal/traffic"
)

// decode reads a log as a collector would.
func decode(t *testing.T, log []byte, f formats.Format, params map[string]string) []*vigil.Event {
	t.Helper()
	sample := log[:min(len(log), formats.MaxSample)]
	if sure := f.Detect(sample); sure < 0.8 {
		t.Errorf("%s is sure by %.2f only", f.Name(), sure)
	}
	dec, err := f.New(formats.Options{Source: "test", Sample: sample, Mapping: traffic.Mapping(), Params: params})
	if err != nil {
		t.Fatal(err)
	}
	var out []*vigil.Event
	emit := func(e *vigil.Event, _ formats.Line) {
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	sc := bufio.NewScanner(bytes.NewReader(log))
	sc.Buffer(nil, formats.MaxLine)
	var l formats.Line
	for sc.Scan() {
		l.Text = sc.Bytes()
		l.Number++
		if err := dec.Decode(l, emit); err != nil {
			t.Fatalf("line %d: %v\n%.500s", l.Number, err, l.Text)
		}
		l.Offset += int64(len(l.Text)) + 1
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if err := dec.Flush(emit); err != nil {
		t.Fatal(err)
	}
	return out
}

// written returns a world's events, and the same as a log.
func written(t *testing.T, cfg traffic.Config, f traffic.Format) ([]*vigil.Event, []byte) {
	t.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Stage(traffic.Stage{Threat: traffic.VendorToken})
	if err != nil {
		t.Fatal(err)
	}
	dump, err := w.Stage(traffic.Stage{Threat: traffic.TableDump})
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(b.Events...)
	w.Inject(dump.Events...)
	events := slices.Collect(w.Events())
	var log bytes.Buffer
	n, err := traffic.WriteEvents(&log, f, slices.Values(events))
	if err != nil || n != len(events) {
		t.Fatalf("wrote %d of %d events: %v", n, len(events), err)
	}
	return events, log.Bytes()
}

// logged is what is compared of an event; what a format loses is left out.
type logged struct {
	Time                                  time.Time
	Actor, App, Session, IP, Agent        string
	Action                                vigil.Action
	Store, Resource, Tenant, Conversation string
	Subjects                              string
	Known                                 bool // the number of customers
	Ticket, Fields                        string
	Rows, Bytes, Limit                    int64
	Outcome                               vigil.Outcome
	Unbounded                             bool
}

func all(e *vigil.Event) logged {
	return logged{
		Time: e.Time, Actor: e.Actor.ID, App: e.Actor.App, Session: e.Session, IP: e.IP, Agent: e.UserAgent, Action: e.Action, Store: e.Store,
		Resource: e.Resource, Tenant: e.ResourceTenant, Conversation: e.Conversation, Subjects: strings.Join(e.Subjects, " "),
		Known: len(e.Subjects) > 0 && e.SubjectCount == int64(len(e.Subjects)), Ticket: e.Ticket, Fields: strings.Join(e.Fields, " "),
		Rows: e.Rows, Bytes: e.Bytes, Limit: e.Limit, Outcome: e.Outcome, Unbounded: e.Unbounded,
	}
}

// same compares what was written with what is read, in one order.
func same(t *testing.T, want, got []logged) {
	t.Helper()
	order := func(a, b logged) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource),
			cmp.Compare(a.Subjects, b.Subjects), cmp.Compare(a.Rows, b.Rows))
	}
	slices.SortStableFunc(want, order)
	slices.SortStableFunc(got, order)
	if len(want) != len(got) {
		var missing []logged
		for _, l := range want {
			if !slices.Contains(got, l) && len(missing) < 3 {
				missing = append(missing, l)
			}
		}
		t.Logf("%+v", missing)
		t.Errorf("%d events were written, %d are read", len(want), len(got))
	}
	wrong := 0
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			if wrong++; wrong <= 3 {
				t.Errorf("event %d (-written +read):\n%s", i, gocmp.Diff(want[i], got[i]))
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%d events of %d differ", wrong, len(want))
	}
}

var logs = traffic.Config{Events: 5_000, Actors: 40, Days: 14, Seed: 4, Happenings: traffic.Everything()}

func TestPgAuditIsReadBack(t *testing.T) {
	t.Parallel()
	events, log := written(t, logs, traffic.PgAudit)
	// Sessions get numbers of the server's own, which is looked at apart.
	var want, got []logged
	for _, e := range events {
		l := all(e)
		l.Agent, l.Bytes, l.Session = "", vigil.Unknown, ""
		access := e.Action != vigil.ActionLogin && e.Action != vigil.ActionLogout
		reads := e.Action == vigil.ActionRead || e.Action == vigil.ActionSearch || e.Action == vigil.ActionExport
		if l.Action == vigil.ActionSearch {
			l.Action = vigil.ActionRead
		}
		switch {
		case !access:
			l.Resource, l.Tenant, l.Rows = "", "", vigil.Unknown
		case strings.HasPrefix(e.Resource, "pg_"), e.Action == vigil.ActionConfigure, e.Action == vigil.ActionGrant, e.Unbounded:
			l.Tenant = ""
		}
		if reads && l.Fields == "" {
			l.Fields = "id"
		}
		if !reads {
			l.Fields, l.Limit = "", vigil.Unknown
		}
		if e.Action == vigil.ActionConfigure || e.Action == vigil.ActionGrant {
			l.Rows = vigil.Unknown
		}
		if access && (e.Outcome != vigil.OutcomeSuccess) {
			l.Rows = vigil.Unknown
		}
		want = append(want, l)
	}
	format := postgresql.New()
	decoded := decode(t, log, format, map[string]string{"log_line_prefix": traffic.LogLinePrefix})
	for _, e := range decoded {
		l := all(e)
		l.Session = ""
		if e.Action == vigil.ActionWrite || e.Action == vigil.ActionDelete {
			l.Fields = ""
		}
		got = append(got, l)
	}
	same(t, want, got)
	sessionsMatch(t, events, decoded)
	part := log[:bytes.LastIndexByte(log[:100_000], '\n')+1]
	if a, b := len(decode(t, part, format, nil)), len(decode(t, part, format, map[string]string{"log_line_prefix": traffic.LogLinePrefix})); a != b || a == 0 {
		t.Errorf("without the prefix given, %d events are read, with it %d", a, b)
	}
}

// sessionsMatch holds that sessions, whatever they are called, are the same ones.
func sessionsMatch(t *testing.T, written, read []*vigil.Event) {
	t.Helper()
	key := func(e *vigil.Event) string {
		return e.Time.String() + " " + e.Actor.ID + " " + string(e.Action) + " " + strings.Join(e.Subjects, ",")
	}
	was := map[string]string{}
	for _, e := range written {
		was[key(e)] = e.Session
	}
	there, back, found := map[string]string{}, map[string]string{}, 0
	for _, e := range read {
		old, ok := was[key(e)]
		if !ok {
			continue
		}
		found++
		if n, ok := there[old]; ok && n != e.Session {
			t.Fatalf("session %s is %s and %s", old, n, e.Session)
		}
		if o, ok := back[e.Session]; ok && o != old {
			t.Fatalf("session %s was %s and %s", e.Session, o, old)
		}
		there[old], back[e.Session] = e.Session, old
	}
	if found*10 < len(read)*8 {
		t.Errorf("only %d of %d events are found again", found, len(read))
	}
}

func TestNginxIsReadBack(t *testing.T) {
	t.Parallel()
	lost := func(e *vigil.Event) logged {
		l := all(e)
		l.App, l.Store, l.Rows, l.Fields, l.Unbounded = "", "", 0, "", false
		if len(e.Subjects) > 400 {
			l.Subjects = ""
		}
		if l.Subjects == "" || e.SubjectCount != int64(len(e.Subjects)) {
			l.Known = false
		}
		if e.Action == vigil.ActionLogin || e.Action == vigil.ActionLogout {
			l.Tenant = ""
		}
		return l
	}
	for format, params := range map[traffic.Format]map[string]string{
		traffic.Nginx: {"session": traffic.NginxSession}, traffic.NginxCombined: nil,
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			events, log := written(t, logs, format)
			var want, got []logged
			for _, e := range events {
				l := lost(e)
				if format == traffic.NginxCombined {
					l.Time, l.Session = l.Time.Truncate(time.Second), ""
				}
				want = append(want, l)
			}
			for _, e := range decode(t, log, nginx.Format(), params) {
				got = append(got, lost(e))
			}
			same(t, want, got)
		})
	}
}

func TestNativeIsReadBack(t *testing.T) {
	t.Parallel()
	events, log := written(t, logs, traffic.Native)
	var want, got []logged
	for _, e := range events {
		want = append(want, all(e))
	}
	for _, e := range decode(t, log, native.Format(), nil) {
		got = append(got, all(e))
	}
	same(t, want, got)
}

// TestFormatsKeepTheFormOfALine holds that hostile names can't make a line of
// their own.
func TestFormatsKeepTheFormOfALine(t *testing.T) {
	t.Parallel()
	e := vigil.NewEvent()
	e.Time, e.Action, e.Outcome = time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC), vigil.ActionRead, vigil.OutcomeSuccess
	nasty := "a\n\"'\\ \x00 ,*/é;--"
	e.ID, e.Actor.ID, e.Session, e.Conversation, e.Ticket, e.Resource = nasty, nasty, nasty, nasty, nasty, nasty
	e.Subjects, e.Fields, e.IP, e.UserAgent, e.Store, e.ResourceTenant, e.Actor.App = []string{nasty, nasty}, []string{nasty}, nasty, nasty, nasty, nasty, nasty
	for _, f := range traffic.WriteFormats() {
		var b bytes.Buffer
		if _, err := traffic.WriteEvents(&b, f, slices.Values([]*vigil.Event{e})); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(b.Bytes(), []byte{'\n'}) != 1 || bytes.ContainsRune(b.Bytes(), 0) {
			t.Errorf("%s: %q", f, b.Bytes())
		}
		if f == traffic.Nginx || f == traffic.Native {
			if !json.Valid(b.Bytes()) {
				t.Errorf("%s is no JSON: %q", f, b.Bytes())
			}
		}
	}
	if _, err := traffic.WriteEvents(&bytes.Buffer{}, "xml", slices.Values([]*vigil.Event{e})); err == nil {
		t.Error("an unknown format was written")
	}
}
