package postgresql

import "vigil/collectors/formats"

// Tells says what its records tell.
func (*Format) Tells() formats.Tells {
	return formats.Tells{
		Title: "PostgreSQL's log, with or without pgaudit", Group: formats.GroupDatabases,
		Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
		Note: "Customers are told where statements name them; rows with pgaudit.log_rows = on.",
	}
}
