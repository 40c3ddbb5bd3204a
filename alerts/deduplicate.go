package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"vigil"
)

// printOf is the fingerprint of what a case's card says, its footer and link left out: two
// revisions of one print need no edit. It is empty, and so like no other, when the card
// can't be read off.
func printOf(c *vigil.Case, lead *vigil.Finding) string {
	card := CardOf(Message{Kind: KindCase, Case: c, Finding: lead}, "")
	card.Footer, card.Link = "", ""
	text, err := json.Marshal(card)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}
