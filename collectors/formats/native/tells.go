package native

import "vigil/collectors/formats"

// Tells says what its records tell.
func (format) Tells() formats.Tells {
	return formats.Tells{
		Title: "vigil's own form: one JSON object a line", Group: formats.GroupAny,
		Actor: formats.Yes, Subjects: formats.Yes, Rows: formats.Yes, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
		Note: "Send it from your own code, or push it over HTTP.",
	}
}
