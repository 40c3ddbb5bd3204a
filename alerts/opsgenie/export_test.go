package opsgenie

import (
	"encoding/json"

	"vigil/alerts"
)

// Base is where requests go.
func (n *Notifier) Base() string { return n.base }

// Form is the alert of a message.
func (n *Notifier) Form(m alerts.Message) []byte {
	b, err := json.Marshal(n.alertOf(m, aliasOf(m.Thread())))
	if err != nil {
		panic(err)
	}
	return b
}
