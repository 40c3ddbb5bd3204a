package email

import (
	"bytes"

	"vigil/alerts"
	"vigil/alerts/internal/told"
)

// Written is a message's mail as it goes over the wire, and its two parts.
func (n *Notifier) Written(m alerts.Message, news string) (mail []byte, text, html string, err error) {
	now := told.Of(m)
	d := n.draft(m, &now, news != "", news)
	msg, err := d.message()
	if err != nil {
		return nil, "", "", err
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, "", "", err
	}
	html, err = d.html()
	return b.Bytes(), d.text(), html, err
}
