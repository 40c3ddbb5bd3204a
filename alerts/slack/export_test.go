package slack

// DoNotWait makes a notifier ask Slack a second time at once to show a picture.
func DoNotWait(n *Notifier) { n.settle = 0 }

// ParsedReceipt is a receipt read and written, empty for none.
func ParsedReceipt(s string) string {
	r, ok := parseReceipt(s)
	if !ok {
		return ""
	}
	return r.String()
}
