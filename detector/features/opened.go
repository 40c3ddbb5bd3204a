package features

import "vigil"

// opened remembers, for one day of one actor, which customers' records were opened
// without a reason and about which something was written. The zero value is empty;
// beyond openedLimit customers it learns of no more.
type opened struct {
	marks  map[uint64]uint8
	silent int
}

const (
	openedLimit = 2048

	markOpened = 1 << 0
	markWrote  = 1 << 1
)

// add counts an event that is about one customer.
func (o *opened) add(e *vigil.Event, reason bool) {
	if len(e.Subjects) != 1 {
		return // a list was shown, nobody was looked up
	}
	var mark uint8
	switch {
	case e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError:
		return
	case e.Action == vigil.ActionWrite:
		mark = markWrote
	case e.Action.Discloses() && !reason:
		mark = markOpened
	default:
		return
	}
	h := Hash(e.Subjects[0])
	was, known := o.marks[h]
	if was&mark != 0 || !known && len(o.marks) >= openedLimit {
		return
	}
	if o.marks == nil {
		o.marks = make(map[uint64]uint8)
	}
	o.marks[h] = was | mark
	switch was | mark {
	case markOpened:
		o.silent++
	case markOpened | markWrote:
		if was == markOpened {
			o.silent--
		}
	}
}

func (o *opened) reset() {
	if len(o.marks) > 256 {
		o.marks = nil
	}
	clear(o.marks)
	o.silent = 0
}
