package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/dashboards/notice"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// noticeEvents bounds the lines of a case's timeline that are looked through for its
// notification.
const noticeEvents = 2_000

// notices keeps the notifications to the authority. It is safe for concurrent use.
type notices struct {
	reader *reader
	conf   func() *config.Config
}

// look reads a case for who asks, who must not be the one whom it is about.
func (n *notices) look(ctx context.Context, id string) (vigil.Case, error) {
	c, err := n.reader.app.ledger.Case(ctx, id)
	if err != nil {
		return c, err
	}
	err = n.reader.keepOff(ctx, &c)
	return c, err
}

// Notice implements api.Notices.
func (n *notices) Notice(ctx context.Context, id string) (api.NoticeView, error) {
	c, err := n.look(ctx, id)
	if err != nil {
		return api.NoticeView{}, err
	}
	if err := n.reader.record(ctx, "notification read", "case "+c.ID); err != nil {
		return api.NoticeView{}, err
	}
	return n.view(ctx, &c)
}

// view is a case's notification as it stands.
func (n *notices) view(ctx context.Context, c *vigil.Case) (api.NoticeView, error) {
	l, org := n.reader.app.ledger, &n.conf().Organisation
	v := api.NoticeView{Case: *c, Organisation: api.Organisation{
		Name: org.Name, Address: org.Address, Officer: org.Officer, Contact: org.Contact, Authority: org.Authority,
	}}
	var err error
	if v.Notice, err = l.Notice(ctx, c.ID); err != nil {
		return v, err
	}
	f := notice.Facts{Case: *c, Organisation: v.Organisation, Now: n.now()}
	for _, id := range c.Findings {
		found, err := l.Finding(ctx, id)
		if gone(err) {
			continue // past its retention: the counts then say "at least"
		}
		if err != nil {
			return v, err
		}
		f.Findings = append(f.Findings, found)
	}
	if f.Events, _, err = l.LastCaseEvents(ctx, c.ID, noticeEvents); err != nil {
		return v, err
	}
	if f.Exceptions, err = l.Exceptions(ctx); err != nil {
		return v, err
	}
	// What was done with the notification itself is no news to who reads it.
	f.Events = slices.DeleteFunc(f.Events, func(e vigil.CaseEvent) bool { return e.Kind == vigil.CaseNotified })
	v.Proposed, v.Concerns = notice.Propose(&f), notice.Concerns(&f)
	v.Print = notice.Print(&v)
	return v, nil
}

func (n *notices) now() time.Time { return n.reader.app.opts.Now().UTC().Round(0) }

// WriteNotice implements api.Notices.
func (n *notices) WriteNotice(ctx context.Context, w api.NoticeWriting) error {
	c, err := n.look(ctx, w.Case)
	if err != nil {
		return err
	}
	a, who := n.reader.app, api.PersonOf(ctx)
	now, deed := n.now(), noticeDeed(w.Case, w.Key)
	if done, err := n.did(ctx, deed); done || err != nil {
		return err
	}
	draft, err := a.ledger.Notice(ctx, c.ID)
	if err != nil {
		return err
	}
	if draft.Revision != w.Seen {
		return api.ErrStale
	}
	if draft.Revision >= vigil.MaxNoticeRevisions {
		return fmt.Errorf("%w: it was written anew %d times, and no more are kept", api.ErrRefused, vigil.MaxNoticeRevisions)
	}
	var parts []string
	for _, field := range vigil.NoticeFields() {
		text, sent := w.Texts[field]
		if !sent {
			continue
		}
		changed, err := draft.Write(field, text, who.By, now)
		if err != nil {
			return fmt.Errorf("%w: %w", api.ErrRefused, err)
		}
		if changed {
			parts = append(parts, string(field))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	draft.Revision, draft.By, draft.Time = draft.Revision+1, who.By, now
	return noticeKept(a.book.keep(ctx, ledger.Casework{
		Deed: deed, Notices: []vigil.Notice{draft},
		Audit: []ledger.AuditRecord{{Time: now, Who: who.By, What: "notification written: " + strings.Join(parts, ", "), Object: "case " + c.ID}},
	}))
}

// SendNotice implements api.Notices.
func (n *notices) SendNotice(ctx context.Context, s api.NoticeSending) error {
	c, err := n.look(ctx, s.Case)
	if err != nil {
		return err
	}
	a, who, now := n.reader.app, api.PersonOf(ctx), n.now()
	do := deed{id: noticeDeed(s.Case, s.Key), by: who.By, what: "notification sent: " + string(s.Phase)}
	if done, err := n.did(ctx, do.id); done || err != nil {
		return err
	}
	v, err := n.view(ctx, &c)
	if err != nil {
		return err
	}
	if v.Notice.Revision != s.Seen || v.Print != s.Print {
		return api.ErrStale
	}
	if c.Aware == nil {
		return fmt.Errorf("%w: the 72-hour clock does not run yet: say first since when you are aware of the breach", api.ErrRefused)
	}
	sent := vigil.SentNotice{
		Phase: s.Phase, At: s.At, By: who.By, Time: now, Authority: s.Authority, Reference: s.Reference, Texts: map[vigil.NoticeField]string{},
	}
	for _, field := range vigil.NoticeFields() {
		if text := v.Text(field); text != "" {
			sent.Texts[field] = text
		}
	}
	next := v.Notice
	if err := next.Send(sent, c.Due()); err != nil {
		return fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	next.Revision, next.By, next.Time = next.Revision+1, who.By, now
	_, _, err = a.book.change(ctx, c.ID, do, func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		ch := do.note(now, vigil.CaseNotified, fmt.Sprintf("notified the authority (%s), sent %s", s.Phase, alerts.Moment(sent.At)))
		ch.notices = []vigil.Notice{next}
		return ch, nil
	})
	return noticeKept(err)
}

// noticeDeed names a deed on a notification, empty where it can't come twice.
func noticeDeed(id, key string) string {
	if key == "" {
		return ""
	}
	return "notice/" + id + "/" + key
}

func (n *notices) did(ctx context.Context, deed string) (bool, error) {
	if deed == "" {
		return false, nil
	}
	return n.reader.app.ledger.Did(ctx, deed)
}

// noticeKept turns what the ledger says into what who asks may read.
func noticeKept(err error) error {
	switch {
	case errors.Is(err, ledger.ErrDone):
		return nil
	case errors.Is(err, ledger.ErrStale):
		return api.ErrStale
	}
	return err
}

var _ api.Notices = (*notices)(nil)
