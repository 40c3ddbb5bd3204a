package vigil

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// NoticeField names a part of the notification of a personal data breach to the
// supervisory authority: what Regulation (EU) 2016/679 asks for in article 33.
type NoticeField string

// The parts of a notification, with the paragraph that asks for each.
const (
	NoticeNature      NoticeField = "nature"            // 33(3)(a)
	NoticePeople      NoticeField = "people"            // 33(3)(a): the categories of data subjects
	NoticePeopleCount NoticeField = "people_count"      // 33(3)(a): how many, approximately
	NoticeRecords     NoticeField = "records"           // 33(3)(a): the categories of records
	NoticeRecordCount NoticeField = "record_count"      // 33(3)(a): how many, approximately
	NoticeContact     NoticeField = "contact"           // 33(3)(b)
	NoticeHarm        NoticeField = "consequences"      // 33(3)(c)
	NoticeMeasures    NoticeField = "measures"          // 33(3)(d)
	NoticeDelay       NoticeField = "reasons_for_delay" // 33(1)
	NoticeFacts       NoticeField = "documentation"     // 33(5)
)

// NoticeFields lists the parts in the order of the law.
func NoticeFields() []NoticeField {
	return []NoticeField{
		NoticeNature, NoticePeople, NoticePeopleCount, NoticeRecords, NoticeRecordCount,
		NoticeContact, NoticeHarm, NoticeMeasures, NoticeDelay, NoticeFacts,
	}
}

// NoticePhase says which part of the story a notification tells: what is not known in
// time may be told in phases (article 33(4)).
type NoticePhase string

// The phases.
const (
	PhaseInitial NoticePhase = "initial"
	PhaseFurther NoticePhase = "further"
	PhaseFinal   NoticePhase = "final"
)

// The bounds of a notification.
const (
	// MaxNoticeText bounds one part, in letters.
	MaxNoticeText = 8_000
	// MaxNoticePhases bounds the phases that were sent, MaxNoticeRevisions how often one
	// may be written anew.
	MaxNoticePhases    = 50
	MaxNoticeRevisions = 5_000
	maxNoticeName      = 200
)

// Notice is the notification of a case as people have written it so far. What nobody
// wrote is proposed anew from the case each time.
type Notice struct {
	Case string `json:"case"`
	// Revision grows by one with each change, By and Time are of the last one; zero where
	// nobody has written yet.
	Revision int       `json:"revision"`
	By       string    `json:"by,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	// Written are the parts that a person wrote instead of what was proposed.
	Written map[NoticeField]Writing `json:"written,omitempty"`
	// Sent are the phases that were sent, in order. None is ever changed.
	Sent []SentNotice `json:"sent,omitempty"`
}

// Writing is what somebody wrote, and when.
type Writing struct {
	Text string    `json:"text"`
	By   string    `json:"by"`
	Time time.Time `json:"time"`
}

// SentNotice is a phase as it was when it was sent.
type SentNotice struct {
	Phase NoticePhase `json:"phase"`
	// At is when it was sent, as who says so gives it; By and Time are who said so, and
	// when.
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Time time.Time `json:"time"`
	// Authority is whom it was sent to, Reference the number under which they have it.
	Authority string `json:"authority"`
	Reference string `json:"reference,omitempty"`
	// Late says that it was sent after the 72 hours.
	Late bool `json:"late,omitempty"`
	// Texts are all parts as they were sent, whoever wrote them.
	Texts map[NoticeField]string `json:"texts"`
}

// Write puts what somebody wrote in the place of what is proposed; an empty text takes
// it back. It reports whether that changes anything.
func (n *Notice) Write(field NoticeField, text, by string, at time.Time) (changed bool, err error) {
	if !slices.Contains(NoticeFields(), field) {
		return false, fmt.Errorf("%q is no part of a notification", string(field))
	}
	text = paragraphs(text)
	if utf8.RuneCountInString(text) > MaxNoticeText {
		return false, fmt.Errorf("a part has %d letters, at most %d are kept: shorten it, and attach the rest", utf8.RuneCountInString(text), MaxNoticeText)
	}
	if n.Written[field].Text == text {
		return false, nil
	}
	written := map[NoticeField]Writing{}
	for f, w := range n.Written {
		written[f] = w
	}
	written[field] = Writing{Text: text, By: by, Time: at}
	if text == "" {
		delete(written, field)
	}
	n.Written = written
	return true, nil
}

// Send freezes a phase. due is until when the authority was to be notified.
func (n *Notice) Send(s SentNotice, due time.Time) error {
	s.Authority, s.Reference = plain(s.Authority, maxNoticeName), plain(s.Reference, maxNoticeName)
	s.At, s.Time = s.At.UTC().Round(0), s.Time.UTC().Round(0)
	last := NoticePhase("")
	if len(n.Sent) > 0 {
		last = n.Sent[len(n.Sent)-1].Phase
	}
	switch {
	case s.Phase != PhaseInitial && s.Phase != PhaseFurther && s.Phase != PhaseFinal:
		return fmt.Errorf("%q is no phase; say initial, further or final", string(s.Phase))
	case s.Authority == "":
		return errors.New("it does not say which authority it was sent to")
	case last == PhaseFinal:
		return errors.New("the final notification was sent already")
	case last == "" && s.Phase == PhaseFurther:
		return errors.New("the first notification is the initial one, or the final one if it tells all")
	case last != "" && s.Phase == PhaseInitial:
		return errors.New("the initial notification was sent already: this one is a further one, or the final one")
	case len(n.Sent) >= MaxNoticePhases:
		return fmt.Errorf("%d phases were sent already, and no more are kept", MaxNoticePhases)
	case s.At.After(s.Time.Add(time.Minute)):
		return errors.New("the time at which it was sent is still to come")
	case len(n.Sent) > 0 && s.At.Before(n.Sent[len(n.Sent)-1].At):
		return errors.New("it was sent before the phase that came before it: correct the time")
	}
	s.Late = len(n.Sent) == 0 && s.At.After(due)
	if s.Late && s.Texts[NoticeDelay] == "" {
		return errors.New("it was sent after the 72 hours and gives no reasons for the delay: article 33(1) asks for them; write them first")
	}
	n.Sent = append(slices.Clone(n.Sent), s)
	return nil
}

// paragraphs is text as it is kept: line ends are "\n", and what does not show is left
// out.
func paragraphs(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
