package nginx

import "vigil/collectors/formats"

// Tells says what its records tell.
func (format) Tells() formats.Tells {
	return formats.Tells{
		Title: "nginx's access log, also of ingress and proxy managers", Group: formats.GroupWeb,
		Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
		Note: "Log the user in the log_format; customers are told where paths or parameters hold their ids.",
	}
}
