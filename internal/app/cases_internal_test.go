package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/collectors"
	"vigil/internal/access"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// office is a ledger with cases, and the desk at which people work on them.
type office struct {
	*dispatcher
	t     *testing.T
	desk  *caseDesk
	clock time.Time
	seq   uint64
	ids   int
	told  []alerts.FloodNotice
	dir   string
}

var officeStart = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

const officeKey = "0123456789abcdef0123456789abcdef"

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: officeStart, dir: t.TempDir()}
	now := func() time.Time { return o.clock }
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: o.dir}, ledger.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	pseudonyms, err := privacy.New([]byte(officeKey), privacy.Options{CacheSize: 64})
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Users: []config.User{
		{Name: "ann", Roles: []access.Role{access.RoleAnalyst, access.RolePrivacy}, Slack: "U0ANN"},
		{Name: "bob", Roles: []access.Role{access.RoleResponder}, Slack: "U0BOB", Actors: []string{"bob_db"}},
		{Name: "vic", Roles: []access.Role{access.RoleViewer}, Slack: "U0VIC"},
	}}
	users := newPeople(cfg, pseudonyms)
	people := func() *people { return users }
	book := newCasebook(l, newOutbox(l), now)
	book.outbox.tell([]channelNote{{slackName, true}, {"mail", false}})
	if err := book.use(t.Context(), alerts.Policy{}, book.outbox.told()); err != nil {
		t.Fatal(err)
	}
	o.dispatcher = &dispatcher{book: book, logger: slog.New(slog.DiscardHandler), called: func(name string) string { return pseudonyms.Actor("", name) },
		flood: func(_ context.Context, n alerts.FloodNotice) error { o.told = append(o.told, n); return nil }}
	d := &desk{ledger: l, pseudonyms: pseudonyms, triage: newTriager(l, t.TempDir(), slog.New(slog.DiscardHandler)), now: now, people: people, book: book}
	o.desk = &caseDesk{desk: d, book: book, people: people}
	return o
}

// find has the detector find something.
func (o *office) find(f ...vigil.Finding) {
	o.t.Helper()
	items, err := o.book.outbox.messages(f)
	if err != nil {
		o.t.Fatal(err)
	}
	l := o.book.ledger
	if _, err := l.AcceptTick(o.t.Context(), vigil.Tick{Watermark: o.clock}); err != nil {
		o.t.Fatal(err)
	}
	o.seq++
	if err := l.Apply(o.t.Context(), ledger.Applied{Seq: o.seq, Findings: f, Outbox: items}); err != nil {
		o.t.Fatal(err)
	}
	o.dispatch()
}

func (o *office) dispatch() {
	o.t.Helper()
	for {
		more, err := o.step(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// sent takes what waits for a channel off the outbox, as if it was delivered.
func (o *office) sent(channel string) (out []alerts.Message) {
	o.t.Helper()
	for {
		items, err := o.book.outbox.Due(o.t.Context(), channel, o.clock, 50)
		if err != nil {
			o.t.Fatal(err)
		}
		if len(items) == 0 {
			return out
		}
		for _, it := range items {
			out = append(out, it.Message)
			if err := o.book.outbox.Done(o.t.Context(), channel, it, "receipt of "+it.Message.Thread()); err != nil {
				o.t.Fatal(err)
			}
		}
	}
}

func (o *office) act(who string, a alerts.Act) (alerts.Outcome, error) {
	o.t.Helper()
	o.ids++
	if a.ID == "" {
		a.ID = fmt.Sprintf("press-%d", o.ids)
	}
	a.By = alerts.Person{Channel: slackName, ID: who, Workspace: "T0"}
	return o.desk.Do(o.t.Context(), a)
}

func (o *office) must(who string, a alerts.Act) alerts.Outcome {
	o.t.Helper()
	out, err := o.act(who, a)
	if err != nil {
		o.t.Fatalf("%s by %s: %v", a.Deed, who, err)
	}
	return out
}

func (o *office) theCase(finding string) vigil.Case {
	o.t.Helper()
	c, err := o.book.ledger.CaseOf(o.t.Context(), finding)
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

func (o *office) kinds(id string) (out []vigil.CaseEventKind) {
	o.t.Helper()
	events, err := o.book.ledger.CaseEvents(o.t.Context(), id, 0, 100)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func (o *office) audited(what string) bool {
	o.t.Helper()
	all, err := o.book.ledger.AuditLog(o.t.Context(), 0, 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(r ledger.AuditRecord) bool { return r.What == what })
}

func bulk(id, actor string, severity vigil.Severity) vigil.Finding {
	return vigil.Finding{
		ID: id, Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: actor, ActorKind: vigil.KindHuman, Role: "agent",
		Start: officeStart.Add(-time.Hour), End: officeStart, Detected: officeStart, Severity: severity, Harm: float64(severity.Rank()), Lane: "day",
		Evidence: 6, Threshold: 4, Sentence: "It read 212 customers.", Subjects: 212, Events: 400, Rows: vigil.Unknown, Conversations: vigil.Unknown, Stores: []string{"pg"},
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 212, Expected: 9, High: 31, P: 1e-7, Share: 1}},
	}
}

func TestFindingsBecomeCases(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityMedium), bulk("f-2", "actor-2", vigil.SeverityHigh))
	cards := o.sent(slackName)
	if len(cards) != 2 || cards[0].Case.Actor != "actor-2" || cards[0].Kind != alerts.KindCase || cards[0].Receipt != "" {
		t.Fatalf("told %+v, want the graver first", cards)
	}
	if mails := o.sent("mail"); len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	first := o.theCase("f-1")
	if first.State != vigil.CaseNew || !slices.Equal(first.Told, []string{slackName, "mail"}) {
		t.Errorf("case %+v", first)
	}
	// Another finding about the same joins; it is told by an edit and a reply.
	o.clock = o.clock.Add(time.Hour)
	o.find(bulk("f-3", "actor-1", vigil.SeverityHigh))
	if c := o.theCase("f-3"); c.ID != first.ID || c.Total != 2 || c.Lead != "f-3" || c.Severity != vigil.SeverityHigh {
		t.Errorf("case %+v", c)
	}
	told := o.sent(slackName)
	if len(told) != 2 {
		t.Fatalf("told %d, want an edit and a reply", len(told))
	}
	for _, m := range told {
		switch m.Kind {
		case alerts.KindCase:
			if m.Receipt == "" || m.Finding.ID != "f-3" {
				t.Errorf("the card is not edited: %+v", m)
			}
		case alerts.KindReply:
			if m.Parent != "receipt of "+first.ID || !m.Reply.Loud {
				t.Errorf("reply %+v below %q", m.Reply, m.Parent)
			}
		}
	}
	if mails := o.sent("mail"); len(mails) != 1 || mails[0].Kind != alerts.KindCase {
		t.Errorf("mails %+v: where nothing threads the card alone is told", mails)
	}
}

// What was decided and not kept is decided again; the same row never counts twice.
func TestDispatchIsRepeated(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.step(ctx); err == nil {
		t.Error("a cancelled step has no error")
	}
	f := bulk("f-1", "actor-1", vigil.SeverityHigh)
	o.find(f)
	o.find(f) // the same revision again
	f.Revision, f.Subjects = 2, 500
	o.find(f)
	c := o.theCase("f-1")
	if c.Total != 1 || len(o.sent(slackName)) != 1 {
		t.Errorf("case %+v", c)
	}
	// A change of no weight waits its turn, and then is told.
	o.clock = o.clock.Add(time.Minute)
	o.dispatch()
	edits := o.sent(slackName)
	if len(edits) != 1 || edits[0].Finding.Subjects != 500 {
		t.Errorf("edits %+v", edits)
	}
}

func TestDeeds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	id := o.theCase("f-1").ID
	o.sent(slackName)

	if _, err := o.act("U0EVE", alerts.Act{Deed: alerts.DeedAcknowledge, Case: id}); !errors.Is(err, alerts.ErrStranger) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := o.act("U0VIC", alerts.Act{Deed: alerts.DeedAcknowledge, Case: id}); !errors.Is(err, alerts.ErrMayNot) {
		t.Errorf("a viewer: %v", err)
	}
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedExpect, Case: id, For: time.Hour, Note: "x"}); !errors.Is(err, alerts.ErrMayNot) {
		t.Errorf("a responder's exception: %v", err)
	}
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: "c-none"}); !errors.Is(err, alerts.ErrNoCase) {
		t.Errorf("no case: %v", err)
	}

	out := o.must("U0BOB", alerts.Act{ID: "once", Deed: alerts.DeedAcknowledge, Case: id})
	if out.Case.State != vigil.CaseAcknowledged || out.Case.Owner == "" {
		t.Errorf("outcome %+v", out.Case)
	}
	told := o.sent(slackName)
	if len(told) != 2 || told[0].Case.Acknowledged == nil {
		t.Errorf("told %+v", told)
	}
	// The same press, delivered twice.
	o.must("U0BOB", alerts.Act{ID: "once", Deed: alerts.DeedAcknowledge, Case: id})
	if told := o.sent(slackName); len(told) != 0 {
		t.Errorf("a press that came twice was done twice: %+v", told)
	}

	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAssign, Case: id, To: alerts.Person{Channel: slackName, ID: "U0ANN"}})
	if c := o.theCase("f-1"); c.Owner != o.desk.people().bySlack["U0ANN"].by {
		t.Errorf("owner %s", c.Owner)
	}
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAssign, Case: id, To: alerts.Person{Channel: slackName, ID: "U0VIC"}}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("assigned to a viewer: %v", err)
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedNote, Case: id, Note: "asked the team lead"})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAware, Case: id})
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAware, Case: id}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("the clock started twice: %v", err)
	}
	if c := o.theCase("f-1"); !c.Due().Equal(o.clock.Add(72 * time.Hour)) {
		t.Errorf("due %s", c.Due())
	}
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedSnooze, Case: id, For: time.Hour})
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedSnooze, Case: id, For: 60 * 24 * time.Hour}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("snoozed for 60 days: %v", err)
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedVerdict, Case: id, Word: vigil.WordMisuse, Note: "curiosity"})
	c := o.theCase("f-1")
	f, err := o.book.ledger.Finding(t.Context(), "f-1")
	if err != nil || f.Verdict == nil || f.Verdict.Word != vigil.WordMisuse || c.State != vigil.CaseResolved || c.Word != vigil.WordMisuse {
		t.Errorf("case %+v, verdict %+v, error %v", c, f.Verdict, err)
	}
	want := []vigil.CaseEventKind{vigil.CaseOpened, vigil.CaseTaken, vigil.CaseAssigned, vigil.CaseNoted, vigil.CaseAware, vigil.CaseSnoozed, vigil.CaseJudged}
	if got := o.kinds(id); !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	for _, what := range []string{"case acknowledged", "case assigned", "note on case", "72-hour clock started", "case snoozed", "verdict: misuse"} {
		if !o.audited(what) {
			t.Errorf("%q is not in the audit log", what)
		}
	}
}

// Nobody works on a case about themselves.
func TestOwnCase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh))
	id := o.theCase("f-1").ID
	for _, d := range []alerts.Deed{alerts.DeedAcknowledge, alerts.DeedVerdict, alerts.DeedSnooze, alerts.DeedAsk, alerts.DeedNote, alerts.DeedAssign} {
		if _, err := o.act("U0BOB", alerts.Act{Deed: d, Case: id, For: time.Hour, Word: vigil.WordExpected, Note: "me"}); !errors.Is(err, alerts.ErrOwnCase) {
			t.Errorf("%s by whom it is about: %v", d, err)
		}
	}
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAssign, Case: id, To: alerts.Person{Channel: slackName, ID: "U0BOB"}}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("assigned to whom it is about: %v", err)
	}
	if c := o.theCase("f-1"); c.State != vigil.CaseNew {
		t.Errorf("case %+v", c)
	}
	// One who took part in what a team did keeps off too.
	team := bulk("f-2", "", vigil.SeverityMedium)
	team.About, team.Team, team.Actors = vigil.AboutTeam, "emea", []string{"actor-x", bob}
	o.find(team)
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: o.theCase("f-2").ID}); !errors.Is(err, alerts.ErrOwnCase) {
		t.Errorf("by one of those who took part: %v", err)
	}
}

func TestAskThePerson(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh), bulk("f-2", "actor-unknown", vigil.SeverityHigh))
	id := o.theCase("f-1").ID
	preview := o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: id, Preview: true})
	if q := preview.Question; q == nil || q.To.ID != "U0BOB" || !strings.Contains(q.Text, "212 customers") || strings.Contains(q.Text, "subject-") {
		t.Fatalf("question %+v", preview.Question)
	}
	if o.theCase("f-1").Asked != nil {
		t.Fatal("a preview asked")
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: id})
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: id}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("asked twice at once: %v", err)
	}
	// One that did not arrive can be put again.
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedUnasked, Case: id, Note: "The question could not be delivered."})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: id})
	// Only who was asked can answer, once.
	if _, err := o.act("U0VIC", alerts.Act{Deed: alerts.DeedAnswer, Case: id, Mine: true, Note: "me"}); !errors.Is(err, alerts.ErrNoCase) {
		t.Errorf("answered by somebody else: %v", err)
	}
	o.sent(slackName)
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAnswer, Case: id, Mine: false, Note: "not me <!channel>\n"})
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAnswer, Case: id, Mine: true}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("answered twice: %v", err)
	}
	c := o.theCase("f-1")
	if c.Asked.Answered.IsZero() || c.Asked.Mine || !strings.HasPrefix(c.Asked.Why, "not me") {
		t.Errorf("asked %+v", c.Asked)
	}
	loud := false
	for _, m := range o.sent(slackName) {
		loud = loud || m.Reply != nil && m.Reply.Loud && m.Reply.Kind == vigil.CaseAnswered
	}
	if !loud {
		t.Error("that it was not them is not told aloud")
	}
	// Nobody knows who the other one is.
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: o.theCase("f-2").ID}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("asked nobody: %v", err)
	}
	o.desk.members = func(context.Context) ([]member, error) {
		return []member{{"U0X", "someone@example.com"}, {"U0Y", "carla@example.com"}}, nil
	}
	carla := o.desk.desk.pseudonyms.Actor("", "carla")
	o.find(bulk("f-3", carla, vigil.SeverityHigh))
	out := o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: o.theCase("f-3").ID, Preview: true})
	if out.Question.To.ID != "U0Y" {
		t.Errorf("asks %+v", out.Question.To)
	}
}

func TestExceptionFromACard(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	id := o.theCase("f-1").ID
	preview := o.must("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: id, For: 24 * time.Hour, Preview: true})
	if c := preview.Covered; c == nil || c.WhollyTotal != 1 || len(c.Wholly) != 1 || c.Says == "" {
		t.Fatalf("preview %+v", preview.Covered)
	}
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: id, For: 24 * time.Hour}); !errors.Is(err, alerts.ErrNotDone) || !strings.Contains(err.Error(), "reason") {
		t.Errorf("without a reason: %v", err)
	}
	for range 2 { // the same press, delivered twice
		o.must("U0ANN", alerts.Act{ID: "once", Deed: alerts.DeedExpect, Case: id, For: 24 * time.Hour, Note: "migration"})
	}
	all, err := o.book.ledger.Exceptions(t.Context())
	if err != nil || len(all) != 1 || all[0].Note != "migration" || all[0].By == "" || !all[0].To.Equal(o.clock.Add(24*time.Hour)) {
		t.Errorf("exceptions %+v, error %v", all, err)
	}
}

func TestSilenceKeepsBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityMedium))
	o.sent(slackName)
	match := vigil.Match{Stores: []string{"pg"}, MaxSeverity: vigil.SeverityHigh}
	preview := o.must("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: match, For: time.Hour, Preview: true})
	if preview.Covered.WhollyTotal != 1 {
		t.Errorf("preview %+v", preview.Covered)
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: match, For: time.Hour, Note: "a move"})
	o.find(bulk("f-2", "actor-2", vigil.SeverityMedium), bulk("f-3", "actor-3", vigil.SeverityCritical))
	told := o.sent(slackName)
	if len(told) != 1 || told[0].Finding.ID != "f-3" {
		t.Errorf("told %+v, want the critical one alone", told)
	}
	if c := o.theCase("f-2"); c.Held != vigil.HeldSilence {
		t.Errorf("held %q", c.Held)
	}
	// Nobody silences what is about them.
	bob := o.desk.desk.pseudonyms.Actor("", "ann")
	if _, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: vigil.Match{Actors: []string{bob}}, For: time.Hour, Note: "me"}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("silenced by whom it protects: %v", err)
	}
}

func TestNobodyAcknowledges(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	o.sent(slackName)
	o.clock = o.clock.Add(29 * time.Minute)
	if err := o.nudge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told := o.sent(slackName); len(told) != 0 {
		t.Errorf("reminded too soon: %+v", told)
	}
	o.clock = o.clock.Add(2 * time.Minute)
	for range 2 {
		if err := o.nudge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	replies := slices.DeleteFunc(o.sent(slackName), func(m alerts.Message) bool { return m.Kind != alerts.KindReply })
	if len(replies) != 1 || replies[0].Reply.Kind != vigil.CaseReminded {
		t.Errorf("replies %+v", replies)
	}
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: o.theCase("f-1").ID})
	o.sent(slackName)
	o.clock = o.clock.Add(24 * time.Hour)
	if err := o.nudge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told := o.sent(slackName); len(told) != 0 {
		t.Errorf("reminded of what is acknowledged: %+v", told)
	}
}

// A channel that is taken out of the configuration leaves nothing behind untold.
func TestChannelGoes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	o.sent("mail") // Slack's is not delivered yet
	o.book.outbox.tell([]channelNote{{"pager", false}})
	if err := o.book.use(t.Context(), alerts.Policy{}, []string{"pager"}); err != nil {
		t.Fatal(err)
	}
	if err := o.rehome(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told := o.sent("pager"); len(told) != 1 || told[0].Finding.ID != "f-1" {
		t.Errorf("told %+v", told)
	}
	if left := o.sent(slackName); len(left) != 0 {
		t.Errorf("left for Slack: %+v", left)
	}
	if c := o.theCase("f-1"); !slices.Equal(c.Told, []string{"pager"}) {
		t.Errorf("told %v", c.Told)
	}
}

// A flood of mild findings is one message, and the grave one among them is not in it.
func TestFloodLeavesTheGraveOneInFront(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var messages int
	severe := time.Time{}
	for i := range 100 {
		var found []vigil.Finding
		for j := range 20 {
			n := i*20 + j
			f := bulk(fmt.Sprintf("f-%d", n), fmt.Sprintf("actor-%d", n), vigil.SeverityLow)
			if n == 1_203 {
				f.Severity, f.Harm = vigil.SeverityCritical, 1e6
			}
			found = append(found, f)
		}
		o.clock = o.clock.Add(6 * time.Second)
		o.find(found...)
		for _, m := range o.sent(slackName) {
			messages++
			if m.Finding != nil && m.Finding.ID == "f-1203" && severe.IsZero() {
				severe = o.clock
			}
		}
	}
	if messages > 20 {
		t.Errorf("%d messages, want at most 20", messages)
	}
	if severe.IsZero() || severe.Sub(officeStart) > 61*6*time.Second {
		t.Errorf("the grave one was told at %s", severe)
	}
	if len(o.told) == 0 || len(o.told) > 2 {
		t.Errorf("the flood is recorded %d times, want once for each channel", len(o.told))
	}
	if c := o.theCase("f-1800"); c.Held != vigil.HeldFlood {
		t.Errorf("held %q", c.Held)
	}
	data, err := o.book.ledger.Kept(t.Context(), pipelineState)
	var state alerts.State
	if err != nil || json.Unmarshal(data, &state) != nil || len(state.Buckets) == 0 {
		t.Errorf("the flood would not outlive a restart: %s, %v", data, err)
	}
}

// A press that is delivered twice is done once, also where it is done in several steps.
func TestPressedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityHigh))
	one, two := o.theCase("f-1").ID, o.theCase("f-2").ID
	expect := alerts.Act{ID: "expect", Deed: alerts.DeedExpect, Case: two, For: 24 * time.Hour, Note: "migration"}
	verdict := alerts.Act{ID: "verdict", Deed: alerts.DeedVerdict, Case: two, Word: vigil.WordMisuse}
	ask := alerts.Act{ID: "ask", Deed: alerts.DeedAsk, Case: one}
	for _, a := range []alerts.Act{expect, verdict, ask} {
		o.must("U0ANN", a)
	}
	// The person answers before the question is pressed again.
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAnswer, Case: one, Mine: true})
	last, err := o.book.ledger.AuditLog(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	o.clock = o.clock.Add(time.Second)
	for _, a := range []alerts.Act{expect, verdict, ask} {
		if out := o.must("U0ANN", a); out.Case == nil || out.Question != nil {
			t.Errorf("%s again: %+v", a.Deed, out)
		}
	}
	all, err := o.book.ledger.Exceptions(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("%d exceptions, error %v", len(all), err)
	}
	if now, err := o.book.ledger.AuditLog(t.Context(), 0, 1000); err != nil || len(now) != len(last) {
		t.Errorf("%d audit records, %d before, error %v", len(now), len(last), err)
	}
}

// A verdict is on what was seen: what joins meanwhile is not resolved by it.
func TestVerdictIsOnWhatWasSeen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityMedium))
	seen, lead, err := o.book.look(t.Context(), o.theCase("f-1").ID)
	if err != nil {
		t.Fatal(err)
	}
	o.find(bulk("f-2", "actor-1", vigil.SeverityCritical))
	ann := o.desk.people().bySlack["U0ANN"]
	_, err = o.desk.work(t.Context(), ann, alerts.Act{ID: "v", Deed: alerts.DeedVerdict, Case: seen.ID, Word: vigil.WordExpected}, &seen, &lead)
	if !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("error %v", err)
	}
	if err := o.book.judged(t.Context(), vigil.Verdict{Finding: "f-1", Word: vigil.WordExpected, By: ann.by}); err != nil {
		t.Error(err)
	}
	if c := o.theCase("f-2"); c.State != vigil.CaseNew {
		t.Errorf("case %s", c.State)
	}
}

// Who took part in any finding of a case keeps off it, whichever leads.
func TestOwnCaseByAnyFinding(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	team := func(id string, severity vigil.Severity, actors ...string) vigil.Finding {
		f := bulk(id, "", severity)
		f.About, f.Team, f.Actors = vigil.AboutTeam, "emea", actors
		return f
	}
	o.find(team("f-1", vigil.SeverityMedium, "actor-x", o.desk.desk.pseudonyms.Actor("", "bob_db")))
	o.find(team("f-2", vigil.SeverityHigh, "actor-y"))
	c := o.theCase("f-1")
	if c.Lead != "f-2" || c.Total != 2 {
		t.Fatalf("case %+v", c)
	}
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: c.ID}); !errors.Is(err, alerts.ErrOwnCase) {
		t.Errorf("by one of those who took part: %v", err)
	}
}

// Nobody silences what they had a part in, nor their own role or team.
func TestSilenceForOneself(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ann := o.desk.desk.pseudonyms.Actor("", "ann")
	silence := func(m vigil.Match) error {
		_, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: m, For: time.Hour, Note: "quiet"})
		return err
	}
	if err := silence(vigil.Match{Stores: []string{"pg"}}); err != nil {
		t.Fatal(err)
	}
	o.find(bulk("f-1", ann, vigil.SeverityMedium))
	if err := silence(vigil.Match{Stores: []string{"pg"}}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("of a store, with a finding about oneself: %v", err)
	}
	b := collectors.Batch{Source: "pg", Events: []*vigil.Event{{
		ID: "e-1", Time: o.clock.Add(-time.Hour), Received: o.clock, Source: "pg", Store: "pg", Action: vigil.ActionRead, Resource: "chats",
		Actor: vigil.Actor{ID: ann, Kind: vigil.KindHuman, Role: "lead", Team: "emea"}, Outcome: vigil.OutcomeSuccess,
	}}}
	if _, n, err := o.book.ledger.Accept(t.Context(), b); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for _, m := range []vigil.Match{{Teams: []string{"emea"}, MaxSeverity: vigil.SeverityLow}, {Roles: []string{"lead"}, MaxSeverity: vigil.SeverityLow}} {
		if err := silence(m); !errors.Is(err, alerts.ErrNotDone) {
			t.Errorf("of one's own %+v: %v", m, err)
		}
	}
	if err := silence(vigil.Match{Teams: []string{"apac"}}); err != nil {
		t.Errorf("of another team: %v", err)
	}
	// What is only looked at is on record too.
	id := o.theCase("f-1").ID
	o.find(bulk("f-2", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityHigh))
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: o.theCase("f-2").ID, Preview: true})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: o.theCase("f-2").ID, For: time.Hour, Preview: true})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: vigil.Match{Teams: []string{"apac"}}, For: time.Hour, Preview: true})
	for _, what := range []string{"person looked up", "exception previewed", "silence previewed"} {
		if !o.audited(what) {
			t.Errorf("%q is not in the audit log (case %s)", what, id)
		}
	}
}

// A vendor's people can be asked as their card says.
func TestAskIsOfferedWhereItIsDone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for i, kind := range []vigil.ActorKind{vigil.KindHuman, vigil.KindAdmin, vigil.KindVendor, vigil.KindBot, vigil.KindService} {
		f := bulk(fmt.Sprintf("f-%d", i), o.desk.desk.pseudonyms.Actor(fmt.Sprintf("t%d", i), "bob_db"), vigil.SeverityCritical)
		f.ActorKind, f.Tenant = kind, fmt.Sprintf("t%d", i)
		o.find(f)
		c := o.theCase(f.ID)
		offered := slices.Contains(alerts.Deeds(&c, &f), alerts.DeedAsk)
		_, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: c.ID, Preview: true})
		if offered != (err == nil) {
			t.Errorf("of a %s: offered %v, error %v", kind, offered, err)
		}
	}
}

// Long queues of other channels don't make one forget what is in flight.
func TestOutboxKeepsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	box := o.book.outbox
	item := func(notifier string, i int) ledger.OutboxItem {
		return ledger.OutboxItem{ID: fmt.Sprintf("%s-%d", notifier, i), Notifier: notifier, Kind: alerts.KindNotice, Payload: []byte(`{}`)}
	}
	items := []ledger.OutboxItem{item("slack", 0)}
	for n := range 5 {
		for i := range 1_000 {
			items = append(items, item(fmt.Sprintf("down-%d", n), i))
		}
	}
	if err := o.book.ledger.Enqueue(t.Context(), items...); err != nil {
		t.Fatal(err)
	}
	due, err := box.Due(t.Context(), "slack", o.clock, 16)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	for n := range 5 {
		if _, err := box.Due(t.Context(), fmt.Sprintf("down-%d", n), o.clock, 1_000); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Done(t.Context(), "slack", due[0], "receipt"); err != nil {
		t.Fatal(err)
	}
	if due, err := box.Due(t.Context(), "slack", o.clock, 16); err != nil || len(due) != 0 {
		t.Errorf("%d would be sent again, error %v", len(due), err)
	}
}
