package sample

import (
	"context"
	"reflect"
	"sync"

	"vigil"
	"vigil/dashboards/notice"
	"vigil/internal/api"
)

// Notices keeps the notification of one case in memory.
type Notices struct {
	// Fill changes what is shown, nil for nothing.
	Fill func(v *api.NoticeView)

	mu   sync.Mutex
	view api.NoticeView
	done map[string]bool
}

// NewNotices keeps that of a finding's case.
func NewNotices(f vigil.Finding) *Notices {
	c := Case(&f)
	n := &Notices{done: map[string]bool{}, view: api.NoticeView{Case: c.Case, Notice: vigil.Notice{Case: c.Case.ID}}}
	n.view.Organisation = api.Organisation{
		Name: "Acme Help Ltd", Address: "1 Long Street, Dublin", Officer: "Dr. Dara Quinn", Contact: "dpo@acme.example", Authority: "Data Protection Commission",
	}
	facts := &notice.Facts{Case: c.Case, Findings: []vigil.Finding{f}, Events: c.Events, Organisation: n.view.Organisation, Now: Now()}
	n.view.Proposed, n.view.Concerns = notice.Propose(facts), notice.Concerns(facts)
	return n
}

// Case is the id of the case.
func (n *Notices) Case() string { return n.view.Case.ID }

// Hostilely has every text of a notification be one of texts.
func Hostilely(texts []string) func(v *api.NoticeView) {
	return func(v *api.NoticeView) {
		id, lead := v.Case.ID, v.Case.Lead
		fill := &filler{texts: texts, numbers: []float64{0}}
		v.Notice.Written = map[vigil.NoticeField]vigil.Writing{}
		for i, f := range vigil.NoticeFields() {
			v.Proposed[f] = texts[i%len(texts)] + "\n" + texts[(i+7)%len(texts)]
			if i%2 == 0 {
				w := vigil.Writing{Time: Now()}
				fill.value(reflect.ValueOf(&w).Elem())
				v.Notice.Written[f] = w
			}
		}
		v.Notice.Sent = []vigil.SentNotice{{Phase: vigil.PhaseInitial, At: Now(), Time: Now(), Texts: v.Proposed}, {At: Now(), Time: Now(), Texts: v.Proposed}}
		fill.value(reflect.ValueOf(&v.Notice.Sent).Elem())
		v.Notice.Revision, v.Notice.By, v.Notice.Time = 3, texts[0], Now()
		v.Concerns = texts[:5]
		fill.value(reflect.ValueOf(&v.Organisation).Elem())
		fill.value(reflect.ValueOf(&v.Case).Elem())
		v.Case.ID, v.Case.Lead = id, lead
	}
}

// Notice implements api.Notices.
func (n *Notices) Notice(_ context.Context, id string) (api.NoticeView, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id != n.view.Case.ID {
		return api.NoticeView{}, api.ErrNotFound
	}
	v := n.view
	if n.Fill != nil {
		n.Fill(&v)
	}
	v.Print = notice.Print(&v)
	return v, nil
}

// WriteNotice implements api.Notices.
func (n *Notices) WriteNotice(ctx context.Context, w api.NoticeWriting) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch k := &n.view.Notice; {
	case n.done[w.Key]:
		return nil
	case k.Revision != w.Seen:
		return api.ErrStale
	default:
		for f, text := range w.Texts {
			if _, err := k.Write(f, text, api.PersonOf(ctx).By, Now()); err != nil {
				return err
			}
		}
		k.Revision, k.By, k.Time = k.Revision+1, api.PersonOf(ctx).By, Now()
		n.done[w.Key] = true
		return nil
	}
}

// SendNotice implements api.Notices.
func (n *Notices) SendNotice(ctx context.Context, s api.NoticeSending) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := &n.view.Notice
	if n.done[s.Key] {
		return nil
	}
	if k.Revision != s.Seen || notice.Print(&n.view) != s.Print {
		return api.ErrStale
	}
	sent := vigil.SentNotice{Phase: s.Phase, At: s.At, By: api.PersonOf(ctx).By, Time: Now(), Authority: s.Authority, Reference: s.Reference, Texts: map[vigil.NoticeField]string{}}
	for _, f := range vigil.NoticeFields() {
		if text := n.view.Text(f); text != "" {
			sent.Texts[f] = text
		}
	}
	if err := k.Send(sent, n.view.Case.Due()); err != nil {
		return err
	}
	k.Revision, k.By, k.Time = k.Revision+1, sent.By, Now()
	n.done[s.Key] = true
	return nil
}
