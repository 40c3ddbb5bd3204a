package slack

import (
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

// The action_ids of a card's buttons. ActionMore is the menu of further ones: the value
// of its chosen option is one of the ids below it. A button's value is the case's ID,
// and the block_id of all of them is BlockOf's.
const (
	ActionAcknowledge = "vigil.acknowledge"
	ActionVerdict     = "vigil.verdict"
	ActionExpect      = "vigil.expect"
	ActionAsk         = "vigil.ask"
	// ActionOpen is a link: its press opens the console, and is to be answered only.
	ActionOpen = "vigil.open"
	ActionMore = "vigil.more"

	ActionAssignMe = "vigil.assign_me"
	ActionAssign   = "vigil.assign"
	ActionSnooze   = "vigil.snooze"
	ActionAware    = "vigil.aware"
	ActionNote     = "vigil.note"
)

// blockPrefix begins the block_id of a case's buttons.
const blockPrefix = "vigil.case/"

// maxCaseID bounds the IDs of cases that have buttons: Slack takes 255 characters of a
// block_id.
const maxCaseID = 200

// BlockOf is the block_id of a case's buttons: another one with each revision, as Slack
// asks for of a block that changes.
func BlockOf(c *vigil.Case) string { return blockPrefix + c.ID + "/" + strconv.Itoa(c.Revision) }

// CaseOf is the case's ID, and the revision that was on the card, of a block_id that
// BlockOf made.
func CaseOf(blockID string) (id string, revision int, ok bool) {
	rest, ok := strings.CutPrefix(blockID, blockPrefix)
	i := strings.LastIndexByte(rest, '/')
	if !ok || i <= 0 {
		return "", 0, false
	}
	revision, err := strconv.Atoi(rest[i+1:])
	if err != nil || revision < 0 {
		return "", 0, false
	}
	return rest[:i], revision, true
}

// blockOf is BlockOf, or empty for a case whose ID no button could carry: ours are of
// letters, digits and dashes.
func blockOf(c *vigil.Case) string {
	if !isID(c.ID) || len(c.ID) > maxCaseID {
		return ""
	}
	return BlockOf(c)
}

// buttons are what may be pressed on a case's card: its deeds, where buttons are
// answered, and the link.
func (l look) buttons(k *vigil.Case, c *alerts.Card) []slack.BlockElement {
	var es []slack.BlockElement
	var more []*slack.OptionBlockObject
	button := func(action, label string, style slack.Style) {
		b := slack.NewButtonBlockElement(action, k.ID, plain(label))
		b.Style = style
		es = append(es, b)
	}
	option := func(action, label string) {
		more = append(more, slack.NewOptionBlockObject(action, plain(label), nil))
	}
	resolved := k.State == vigil.CaseResolved
	deeds := c.Deeds
	switch {
	case !l.interactive || blockOf(k) == "":
		deeds = nil
	case resolved:
		deeds = []alerts.Deed{alerts.DeedVerdict} // all else begins with it
	}
	for _, d := range deeds {
		switch d {
		case alerts.DeedAcknowledge:
			button(ActionAcknowledge, "Acknowledge", slack.StylePrimary)
		case alerts.DeedVerdict:
			if resolved {
				button(ActionVerdict, "Reopen by verdict…", "")
			} else {
				button(ActionVerdict, "Verdict…", "")
			}
		case alerts.DeedExpect:
			button(ActionExpect, "Expected…", "")
		case alerts.DeedAsk:
			button(ActionAsk, "Ask the person", "")
		case alerts.DeedAssign:
			option(ActionAssignMe, "Assign to me")
			option(ActionAssign, "Assign…")
		case alerts.DeedSnooze:
			option(ActionSnooze, "Snooze…")
		case alerts.DeedAware:
			option(ActionAware, "Start the 72-hour clock")
		case alerts.DeedNote:
			option(ActionNote, "Add a note…")
		}
	}
	if b := open(c.Link, len(deeds) == 0 && !resolved); b != nil {
		es = append(es, b)
	}
	if len(more) > 0 {
		es = append(es, slack.NewOverflowBlockElement(ActionMore, more...))
	}
	return es
}

// open is the link to the console, nil without one.
func open(link string, urgent bool) *slack.ButtonBlockElement {
	if link == "" {
		return nil
	}
	b := slack.NewButtonBlockElement(ActionOpen, "", plain("Open"))
	b.URL = link
	if urgent {
		b.Style = slack.StylePrimary
	}
	return b
}
