// Package presets holds mappings for the schemas of well-known products: which
// of their tables, columns and URL paths name a customer, a conversation, an
// organisation. The configuration names one; formats read by it.
//
// The functions are pure: each call returns a mapping of its own, which the
// caller may change.
package presets

import "vigil/collectors/formats"

// Names lists the presets in alphabetical order.
func Names() []string { return []string{"chatwoot", "rasa"} }

// Named returns the preset of that name, and whether there is one.
func Named(name string) (*formats.Mapping, bool) {
	switch name {
	case "chatwoot":
		return chatwoot(), true
	case "rasa":
		return rasa(), true
	}
	return nil, false
}
