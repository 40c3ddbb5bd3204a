package rest

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
)

func (h *Handler) casework() resource {
	return resource{name: "casework", thing: "case", there: h.do.Worker != nil, endpoints: []endpoint{
		on("POST /api/v1/cases/{id}/acknowledge", "acknowledgeCase", "Takes note of a case, and takes it.", h.acknowledge),
		on("POST /api/v1/cases/{id}/assign", "assignCase", "Gives a case to somebody, or to who asks.", h.assign),
		on("POST /api/v1/cases/{id}/snooze", "snoozeCase", "Leaves a case alone for a while, unless it gets graver.", h.snooze),
		on("POST /api/v1/cases/{id}/note", "noteCase", "Writes a note into a case's timeline.", h.note),
		on("POST /api/v1/cases/{id}/aware", "startClock", "Says that who asks has become aware of a breach: the 72 hours begin.", h.aware),
		on("POST /api/v1/cases/{id}/ask", "askPerson", "Asks the person whom a case is about, in Slack, whether it was them, or tells what they would be asked.", h.askPerson),
		on("PUT /api/v1/cases/{id}/verdict", "judgeCase", "Gives a verdict on a case, which resolves it.", h.judgeCase),
		on("DELETE /api/v1/cases/{id}/verdict", "reopenCase", "Takes the verdict on a case back, which opens it anew.", h.reopenCase),
	}}
}

// onCase is what each deed on a case takes.
type onCase struct {
	caseID
	// Seen is the revision that who asks looked at.
	Seen int `seen:""`
}

// Said is what somebody says with a deed.
type Said struct {
	// Note is the reason in a sentence, without personal data.
	Note string `json:"note,omitempty"`
}

// CaseAnswer is a case after a deed.
type CaseAnswer struct {
	// Text says what was done.
	Text string     `json:"text"`
	Case vigil.Case `json:"case"`
	// Question is what the person is asked, where they are.
	Question string `json:"question,omitempty"`
}

func (c CaseAnswer) revision() int { return c.Case.Revision }

// work does a deed on a case.
func (h *Handler) work(ctx context.Context, of onCase, act api.CaseAct) (CaseAnswer, error) {
	act.Case, act.Seen = of.ID, of.Seen
	if act.Key = api.DeedOf(ctx); act.Key == "" {
		act.Key = "api-" + rand.Text() // one that can't come again
	}
	done, err := h.do.Worker.Work(ctx, act)
	return CaseAnswer{Text: done.Text, Case: done.Case, Question: done.Question}, err
}

type noteOnCase struct {
	onCase
	Body Said `body:"optional"`
}

func (h *Handler) acknowledge(ctx context.Context, in noteOnCase) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedAcknowledge, Note: in.Body.Note})
}

func (h *Handler) note(ctx context.Context, in noteOnCase) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedNote, Note: in.Body.Note})
}

func (h *Handler) aware(ctx context.Context, in noteOnCase) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedAware, Note: in.Body.Note})
}

// Assigning says to whom a case goes.
type Assigning struct {
	// To is the pseudonym of who gets it; empty for who asks.
	To string `json:"to,omitempty"`
}

type assignCase struct {
	onCase
	Body Assigning `body:"optional"`
}

func (h *Handler) assign(ctx context.Context, in assignCase) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedAssign, To: in.Body.To})
}

// Snoozing says for how long a case is left alone.
type Snoozing struct {
	// For is how long, in seconds, at most fourteen days.
	For float64 `json:"for_seconds"`
}

type snoozeCase struct {
	onCase
	Body Snoozing `body:""`
}

func (h *Handler) snooze(ctx context.Context, in snoozeCase) (CaseAnswer, error) {
	if !(in.Body.For > 0 && in.Body.For <= vigil.MaxSnooze.Seconds()) {
		return CaseAnswer{}, api.NewProblem(http.StatusUnprocessableEntity, "That is no time to leave a case alone", "Give for_seconds: more than 0, at most 14 days.")
	}
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedSnooze, For: time.Duration(in.Body.For * float64(time.Second))})
}

// Asking says whether the person is asked.
type Asking struct {
	// Preview tells what they would be asked, and asks nobody.
	Preview bool `json:"preview,omitempty"`
}

type askPerson struct {
	onCase
	Body Asking `body:"optional"`
}

func (h *Handler) askPerson(ctx context.Context, in askPerson) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedAsk, Preview: in.Body.Preview})
}

// Judging is a verdict on a case.
type Judging struct {
	Word vigil.Word `json:"word"`
	// Note is the reason in a sentence, without personal data.
	Note string `json:"note,omitempty"`
}

type judgeCase struct {
	onCase
	Body Judging `body:""`
}

func (h *Handler) judgeCase(ctx context.Context, in judgeCase) (CaseAnswer, error) {
	if !in.Body.Word.Known() {
		return CaseAnswer{}, errNoVerdict
	}
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedVerdict, Word: in.Body.Word, Note: in.Body.Note})
}

func (h *Handler) reopenCase(ctx context.Context, in noteOnCase) (CaseAnswer, error) {
	return h.work(ctx, in.onCase, api.CaseAct{Deed: access.DeedVerdict, TakeBack: true, Note: in.Body.Note})
}
