package slack

// What escape.go does is for the packages below this one too: they show the same
// foreign names.

// Escape makes text safe for every kind of text object, at most max characters of it.
func Escape(s string, max int) string { return escape(s, max) }

// Prose makes foreign text safe within mrkdwn, at most max characters of it.
func Prose(s string, max int) string { return prose(s, max) }

// Code makes a code span of a foreign name, for mrkdwn, of at most max characters.
func Code(s string, max int) string { return code(s, max) }
