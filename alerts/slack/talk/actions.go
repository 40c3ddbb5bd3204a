package talk

import (
	"strings"

	"vigil/alerts"
)

// The names of the buttons on a card. A button's value is the case's id. ActionMore is
// the menu: what is chosen of it is one of the others' names, and the case stands in
// the block's name.
const (
	ActionPrefix      = "vigil."
	ActionAcknowledge = ActionPrefix + "acknowledge"
	ActionAssign      = ActionPrefix + "assign"
	ActionAssignMe    = ActionPrefix + "assign_me"
	ActionVerdict     = ActionPrefix + "verdict"
	ActionExpect      = ActionPrefix + "expect"
	ActionAsk         = ActionPrefix + "ask"
	ActionSnooze      = ActionPrefix + "snooze"
	ActionAware       = ActionPrefix + "aware"
	ActionNote        = ActionPrefix + "note"
	ActionMore        = ActionPrefix + "more"
	// ActionOpen opens the console; Slack tells of it, and there is nothing to do.
	ActionOpen = ActionPrefix + "open"
)

// What is pressed elsewhere: in the question to a person, by a shortcut, and the pages
// of a silence.
const (
	actionMine    = ActionPrefix + "mine"
	actionNotMine = ActionPrefix + "not_mine"
	// ShortcutSilence is the global shortcut that opens the dialogue of a silence.
	ShortcutSilence = ActionPrefix + "silence"
	actionSilenced  = ActionPrefix + "silenced"
)

// pressed is the button and the case that a press means, whichever way it was pressed.
func pressed(in incoming) (action, id string) {
	if in.action != ActionMore {
		return in.action, in.value
	}
	id, ok := caseOf(in.block)
	if !ok {
		return "", ""
	}
	return in.value, id
}

// caseOf is the case of a block of buttons: "vigil.case/<case>/<revision>".
func caseOf(block string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(block, ActionPrefix+"case/")
	i := strings.LastIndexByte(rest, '/')
	if !ok || i <= 0 {
		return "", false
	}
	return rest[:i], true
}

// act is what somebody does about a case.
func act(in incoming, deed alerts.Deed, id string) alerts.Act {
	return alerts.Act{ID: in.id, By: in.by, Deed: deed, Case: id}
}
