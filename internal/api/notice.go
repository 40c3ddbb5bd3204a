package api

import (
	"context"
	"time"

	"vigil"
)

// Organisation is who notifies the authority, as the configuration says: empty fields
// where it does not.
type Organisation struct {
	Name, Address string
	// Officer is the data protection officer, or another contact point, and Contact how
	// they are reached.
	Officer, Contact string
	// Authority is the supervisory authority in charge.
	Authority string
}

// NoticeView is the notification of a case as it stands.
type NoticeView struct {
	Case         vigil.Case
	Notice       vigil.Notice
	Organisation Organisation
	// Proposed is what the case itself tells for each part; a part of which it tells
	// nothing is not in it.
	Proposed map[vigil.NoticeField]string
	// Concerns are what speaks for telling the people themselves (article 34): questions
	// to answer, no advice. Empty where nothing does.
	Concerns []string
	// Print is a hash over all texts as they stand: what is frozen is what was seen.
	Print string
}

// Text is what stands in a part: what was written, else what is proposed.
func (v *NoticeView) Text(f vigil.NoticeField) string {
	if w, ok := v.Notice.Written[f]; ok {
		return w.Text
	}
	return v.Proposed[f]
}

// NoticeWriting is what somebody writes into a notification.
type NoticeWriting struct {
	Case string
	// Key is the same when the same form comes twice; Seen is the revision of the
	// notification that who writes has seen.
	Key  string
	Seen int
	// Texts are the parts that were changed; an empty one is proposed again.
	Texts map[vigil.NoticeField]string
}

// NoticeSending says that a phase was sent.
type NoticeSending struct {
	Case, Key string
	Seen      int
	// Print is that of the texts that who sends has seen: see NoticeView.
	Print     string
	Phase     vigil.NoticePhase
	At        time.Time
	Authority string
	Reference string
}

// Notices keeps the notifications to the authority. Each look and each deed is recorded
// before it takes effect, in the name of who asks (PersonOf). The errors wrap ErrNotFound
// for what is not there, ErrRefused for what can't be done as asked, ErrOwnCase of a case
// about who asks, and ErrStale when somebody else changed it meanwhile.
type Notices interface {
	Notice(ctx context.Context, id string) (NoticeView, error)
	WriteNotice(ctx context.Context, w NoticeWriting) error
	SendNotice(ctx context.Context, s NoticeSending) error
}
