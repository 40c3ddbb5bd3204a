package talk

import (
	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// What is pressed elsewhere than on a card: in the question to a person, by a shortcut,
// and the pages of a silence. A card's buttons are the card's to name.
const (
	actionMine    = "vigil.mine"
	actionNotMine = "vigil.not_mine"
	// ShortcutSilence is the global shortcut that opens the dialogue of a silence.
	ShortcutSilence = "vigil.silence"
	actionSilenced  = "vigil.silenced"
)

// pressed is the button and the case that a press means, whichever way it was pressed:
// of the menu, what is chosen is a button's name, and the case stands in the block's.
func pressed(in incoming) (action, id string) {
	if in.action != cards.ActionMore {
		return in.action, in.value
	}
	id, _, ok := cards.CaseOf(in.block)
	if !ok {
		return "", ""
	}
	return in.value, id
}

// act is what somebody does about a case.
func act(in incoming, deed alerts.Deed, id string) alerts.Act {
	return alerts.Act{ID: in.id, By: in.by, Deed: deed, Case: id}
}
