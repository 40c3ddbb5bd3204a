package features

import "vigil"

// PageSize is how the size of one access compares with those of its kind.
type PageSize struct {
	_ struct{} `cbor:",toarray"`
	// Raw is -log10 of the chance of so many records or more; negative while nothing
	// is known.
	Raw float64
	// Records is what the access showed, Usual the middle of what such accesses do.
	Records, Usual float64
	// Where is what was accessed.
	Where string
}

// pageNews is how unusual, in decades, a size must be to be looked at before its
// span closes.
const pageNews = 1.0

// Records is how many records one access showed: the rows that came back, else the
// customers in them, else how many were asked for; vigil.Unknown where the source
// tells none of them.
func Records(e *vigil.Event) int64 {
	switch {
	case e.Rows >= 0:
		return e.Rows
	case e.SubjectCount >= 0:
		return e.SubjectCount
	case len(e.Subjects) > 0:
		return int64(len(e.Subjects))
	}
	return e.Limit
}
