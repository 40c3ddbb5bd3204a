package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/config"
)

// theNotices are the notifications of the office's cases.
func (o *office) theNotices() *notices {
	cfg := &config.Config{Organisation: config.Organisation{Name: "Help Ltd", Officer: "D. Officer", Contact: "dpo@help.example", Authority: "The Authority"}}
	return &notices{reader: o.reader(), conf: func() *config.Config { return cfg }}
}

// A notification is proposed from the case, written by people, and frozen phase by phase.
func TestNoticeIsWrittenAndSentInPhases(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	f := bulk("f-1", "actor-1", vigil.SeverityHigh)
	f.Subjects, f.SubjectIDs, f.Classes, f.Stores = 2, []string{"subject-a", "subject-b"}, []string{"contact", "payment"}, []string{"helpdesk"}
	o.find(f)
	n, ann, id := o.theNotices(), o.as("ann"), o.theCase("f-1").ID
	view := func() api.NoticeView {
		t.Helper()
		v, err := n.Notice(ann, id)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := view()
	for field, want := range map[vigil.NoticeField]string{
		vigil.NoticePeopleCount: "2 people, each counted once", vigil.NoticeContact: "Help Ltd", vigil.NoticeHarm: "phishing",
		vigil.NoticeRecords: "payment data", vigil.NoticePeople: "helpdesk", vigil.NoticeNature: "not confirmed yet", vigil.NoticeFacts: "f-1",
	} {
		if !strings.Contains(v.Text(field), want) {
			t.Errorf("%s does not say %q: %q", field, want, v.Text(field))
		}
	}
	if len(v.Concerns) != 1 || !strings.Contains(v.Concerns[0], "payment") {
		t.Errorf("concerns %q", v.Concerns)
	}

	write := api.NoticeWriting{Case: id, Key: "one", Texts: map[vigil.NoticeField]string{vigil.NoticeNature: " A token\r\nwas stolen.\x00 "}}
	for range 2 { // the second press is the same deed
		if err := n.WriteNotice(ann, write); err != nil {
			t.Fatal(err)
		}
	}
	if v = view(); v.Notice.Revision != 1 || v.Text(vigil.NoticeNature) != "A token\nwas stolen." || v.Notice.Written[vigil.NoticeNature].By != o.desk.people().named("ann").by {
		t.Errorf("%+v", v.Notice)
	}
	write.Key = "two"
	if err := n.WriteNotice(o.as("bob"), write); !errors.Is(err, api.ErrStale) {
		t.Errorf("a form of before: %v", err)
	}
	write.Seen, write.Texts = 1, map[vigil.NoticeField]string{vigil.NoticeNature: strings.Repeat("ä", vigil.MaxNoticeText+1)}
	if err := n.WriteNotice(ann, write); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a text too long: %v", err)
	}

	send := api.NoticeSending{Case: id, Key: "s1", Seen: 1, Print: v.Print, Phase: vigil.PhaseInitial, At: o.clock, Authority: "The Authority"}
	if err := n.SendNotice(ann, send); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "clock does not run") {
		t.Errorf("without the clock: %v", err)
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAware, Case: id})
	if err := n.SendNotice(ann, send); !errors.Is(err, api.ErrStale) {
		t.Errorf("with other words than were seen: %v", err)
	}
	o.clock = o.clock.Add(80 * time.Hour)
	send.At, send.Print = o.clock, view().Print
	if err := n.SendNotice(ann, send); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "reasons for the delay") {
		t.Errorf("late, and without a reason: %v", err)
	}
	if err := n.WriteNotice(ann, api.NoticeWriting{Case: id, Key: "three", Seen: 1, Texts: map[vigil.NoticeField]string{vigil.NoticeDelay: "The vendor took three days to answer."}}); err != nil {
		t.Fatal(err)
	}
	send.Seen, send.Print = 2, view().Print
	for range 2 {
		if err := n.SendNotice(ann, send); err != nil {
			t.Fatal(err)
		}
	}
	v = view()
	if len(v.Notice.Sent) != 1 || !v.Notice.Sent[0].Late || v.Notice.Sent[0].Texts[vigil.NoticeNature] != "A token\nwas stolen." {
		t.Fatalf("%+v", v.Notice.Sent)
	}
	if kinds := o.kinds(id); kinds[len(kinds)-1] != vigil.CaseNotified {
		t.Errorf("the case's timeline ends with %v", kinds)
	}
	// What is written later does not change what was sent.
	if err := n.WriteNotice(ann, api.NoticeWriting{Case: id, Seen: 3, Texts: map[vigil.NoticeField]string{vigil.NoticeNature: ""}}); err != nil {
		t.Fatal(err)
	}
	if v = view(); v.Notice.Sent[0].Texts[vigil.NoticeNature] != "A token\nwas stolen." || strings.Contains(v.Text(vigil.NoticeNature), "stolen") {
		t.Errorf("%+v", v.Notice)
	}
	for i, x := range []struct {
		phase vigil.NoticePhase
		ok    bool
	}{{vigil.PhaseInitial, false}, {vigil.PhaseFurther, true}, {vigil.PhaseFinal, true}, {vigil.PhaseFurther, false}} {
		v = view()
		err := n.SendNotice(ann, api.NoticeSending{Case: id, Key: fmt.Sprint("phase", i), Seen: v.Notice.Revision, Print: v.Print, Phase: x.phase, At: o.clock, Authority: "The Authority"})
		if (err == nil) != x.ok || err != nil && !errors.Is(err, api.ErrRefused) {
			t.Errorf("%d: %s: %v", i, x.phase, err)
		}
	}
	revisions := 0
	if err := o.book.ledger.Notices(t.Context(), id, func(k *vigil.Notice) error {
		if revisions++; k.Revision != revisions {
			t.Errorf("revision %d is number %d", k.Revision, revisions)
		}
		return nil
	}); err != nil || revisions != 6 {
		t.Errorf("%d revisions are kept, %v", revisions, err)
	}
	for _, what := range []string{"notification read", "notification written: nature", "notification sent: initial"} {
		if !o.audited(what) {
			t.Errorf("%q is not in the audit log", what)
		}
	}
}

func TestNoticeOfWhomItIsAbout(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityHigh))
	n, id := o.theNotices(), o.theCase("f-1").ID
	if _, err := n.Notice(o.as("bob"), id); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("bob reads of his own case: %v", err)
	}
	if err := n.WriteNotice(o.as("bob"), api.NoticeWriting{Case: id, Texts: map[vigil.NoticeField]string{vigil.NoticeNature: "nothing"}}); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("bob writes of his own case: %v", err)
	}
	if err := n.SendNotice(o.as("bob"), api.NoticeSending{Case: id}); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("bob sends of his own case: %v", err)
	}
	if _, err := n.Notice(o.as("ann"), "c-none"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("no such case: %v", err)
	}
	if err := o.book.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err := n.Notice(o.as("ann"), id); err == nil || len(v.Proposed) > 0 {
		t.Error("a notification is shown without a record")
	}
}
