// Package record is the base of formats whose records stand alone: JSON objects,
// wherever they lie in a stream, and single lines of text. A format gives a Spec:
// how its records are recognised and what one becomes. The base finds the records.
//
// JSON may come as one object a line, as objects one after another over as many lines
// as they like, as one array, or within an envelope, as providers deliver it
// ({"Records": [...]}, {"value": [...]}); and a record may be wrapped in what carried
// it: a syslog line, a container's log, a message field. All of it is peeled here, so
// that a format knows only its own records. No more than one record and MaxRecord
// bytes are held: of a larger document the elements of its first array are taken one
// by one.
//
// Tables of comma-separated values with a line of column names are read row by row, for
// formats that say which column names are theirs.
//
// What is no record (another service's line in the same stream) yields an error that
// says so; what is a record and no access yields nothing.
package record
