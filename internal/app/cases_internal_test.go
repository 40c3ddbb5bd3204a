package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

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
