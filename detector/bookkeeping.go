package detector

import (
	"strings"

	"vigil"
	"vigil/detector/reasons"
)

// ReasonParts returns the prefixes of the names of a snapshot's parts in which the
// facts of these kinds stand, for RestoreReasons.
func ReasonParts(kinds ...vigil.FactKind) []string {
	out := []string{bookPart + "summary"}
	for _, k := range kinds {
		out = append(out, bookPart+string(k)+"/")
	}
	return out
}

// RestoreReasons makes a book out of the parts of a snapshot, of all of them or of those
// that ReasonParts names: for who wants to know what feeds told, and not the rest of an
// engine's state.
func RestoreReasons(parts []Part) (*reasons.Book, error) {
	var of []reasons.Part
	for _, p := range parts {
		if name, ok := strings.CutPrefix(p.Name, bookPart); ok {
			of = append(of, reasons.Part{Name: name, Data: p.Data})
		}
	}
	book := reasons.New(reasons.Limits{})
	if err := book.Restore(of); err != nil {
		return nil, err
	}
	return book, nil
}
