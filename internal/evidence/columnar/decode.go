package columnar

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"vigil"
)

// slab is how many events share one allocation: enough to spare the collector
// of garbage, few enough that one event that is kept does not hold a batch.
const slab = 64

// wanted says to which group of columns a column belongs.
func wanted(number int) Columns {
	switch number {
	case colTime:
		return Who
	case colID:
		return Identity
	case colSubjectsLen, colSubjects:
		return Whose
	}
	if i := number - colStrings; i >= 0 && i < len(stringColumns) {
		return stringColumns[i].group
	}
	return Rest
}

func decodeRaw(raw []byte, cols Columns) ([]*vigil.Event, error) {
	r := &reader{buf: raw}
	if v := r.uvarint(); r.err == nil && v != version {
		return nil, fmt.Errorf("%w: form %d is not known; a newer vigil wrote it", ErrCorrupt, v)
	}
	n := int(min(r.uvarint(), math.MaxInt32))
	// Each event takes a byte at least (the length of its id), so the size of the
	// input bounds what is allocated here.
	if r.err != nil || n > len(raw) {
		return nil, fmt.Errorf("%w: %d events in %d bytes", ErrCorrupt, n, len(raw))
	}
	events := allocate(n)
	var lengths []int
	for len(r.buf) > 0 && r.err == nil && n > 0 {
		number, size := r.uvarint(), r.uvarint()
		payload := reader{buf: r.take(size)}
		if r.err != nil {
			break
		}
		if number == 0 || number >= uint64(colStrings+len(stringColumns)) {
			return nil, fmt.Errorf("%w: column %d is not known", ErrCorrupt, number)
		}
		if wanted(int(number))&cols == 0 {
			continue
		}
		lengths = decodeColumn(&payload, int(number), events, lengths)
		if payload.err == nil && len(payload.buf) > 0 {
			payload.fail("has bytes left over")
		}
		if payload.err != nil {
			return nil, fmt.Errorf("column %d: %w", number, payload.err)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(r.buf) > 0 {
		return nil, fmt.Errorf("%w: bytes left over", ErrCorrupt)
	}
	return events, nil
}

func allocate(n int) []*vigil.Event {
	events := make([]*vigil.Event, n)
	for i := 0; i < n; i += slab {
		block := make([]vigil.Event, min(slab, n-i))
		for j := range block {
			events[i+j] = &block[j]
		}
	}
	return events
}

// decodeColumn fills one column in. A list's lengths come before its values and
// are handed from the one call to the other.
func decodeColumn(r *reader, number int, events []*vigil.Event, lengths []int) []int {
	n := len(events)
	switch number {
	case colTime:
		r.times(n, func(i int, at time.Time) { events[i].Time = at })
	case colReceived:
		r.times(n, func(i int, at time.Time) { events[i].Received = at })
	case colID:
		r.ids(events)
	case colHash:
		for _, e := range events {
			if b := r.take(8); r.err == nil {
				e.Origin.Hash = binary.LittleEndian.Uint64(b)
			}
		}
	case colSubjectsLen, colFieldsLen:
		return r.lengths(n)
	case colSubjects:
		r.lists(lengths, n, func(i int, list []string) { events[i].Subjects = list })
	case colFields:
		r.lists(lengths, n, func(i int, list []string) { events[i].Fields = list })
	default:
		if i := number - colStrings; i >= 0 {
			set := stringColumns[i].set
			r.strings(n, func(i int, s string) { set(events[i], s) })
			return nil
		}
		for _, c := range intColumns {
			if c.number == number {
				r.ints(n, func(i int, v int64) { c.set(events[i], v) })
				return nil
			}
		}
		r.fail("is not known")
	}
	return nil
}

// reader reads forward and remembers the first thing that is wrong; after that
// it gives zeros.
type reader struct {
	buf []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, what)
	}
	r.buf = nil
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.fail("ends within a number")
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.fail("ends within a number")
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.buf)) {
		r.fail("ends within a value")
		return nil
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) mode() byte {
	b := r.take(1)
	if r.err != nil {
		return modeConst
	}
	if b[0] != modeConst && b[0] != modeEach {
		r.fail("is written in an unknown way")
		return modeConst
	}
	return b[0]
}

func (r *reader) ints(n int, set func(int, int64)) {
	if r.mode() == modeConst {
		v := r.varint()
		for i := range n {
			set(i, v)
		}
		return
	}
	var last int64
	for i := 0; i < n && r.err == nil; i++ {
		last += r.varint()
		set(i, last)
	}
}

func (r *reader) times(n int, set func(int, time.Time)) {
	seconds := make([]int64, n)
	r.ints(n, func(i int, v int64) { seconds[i] = v })
	r.ints(n, func(i int, v int64) {
		if v < 0 || v > 999_999_999 {
			r.fail("holds a time that is none")
			return
		}
		set(i, time.Unix(seconds[i], v).UTC())
	})
}

// ids gives each event a string of its own: an id that somebody keeps must not
// hold the whole batch's.
func (r *reader) ids(events []*vigil.Event) {
	sizes := make([]uint64, len(events))
	for i := range sizes {
		sizes[i] = r.uvarint()
	}
	for i, e := range events {
		e.ID = string(r.take(sizes[i]))
	}
}

func (r *reader) lengths(n int) []int {
	out := make([]int, n)
	r.ints(n, func(i int, v int64) {
		if v < 0 || v > vigil.MaxSubjects {
			r.fail("holds a list that is too long")
			return
		}
		out[i] = int(v)
	})
	return out
}

func (r *reader) lists(lengths []int, n int, set func(int, []string)) {
	if len(lengths) != n {
		r.fail("comes before its lengths")
		return
	}
	total := 0
	for _, l := range lengths {
		total += l
	}
	if total == 0 {
		return
	}
	flat := r.flat(total)
	if r.err != nil {
		return
	}
	for i, l := range lengths {
		if l > 0 {
			set(i, flat[:l:l])
			flat = flat[l:]
		}
	}
}

// flat reads strings into one slice. A constant column can state more values
// than it has bytes; MaxSubjects a list and a byte an event bound it.
func (r *reader) flat(total int) []string {
	if total > maxFlat {
		r.fail("holds more values than a batch may")
		return nil
	}
	out := make([]string, total)
	r.strings(total, func(i int, s string) { out[i] = s })
	return out
}

// maxFlat bounds the strings of one list column in one batch.
const maxFlat = 4 << 20

func (r *reader) strings(n int, set func(int, string)) {
	if r.mode() == modeConst {
		s := string(r.take(r.uvarint()))
		for i := 0; i < n && r.err == nil; i++ {
			set(i, s)
		}
		return
	}
	count := r.uvarint()
	if r.err == nil && count > uint64(len(r.buf)) {
		r.fail("states more values than it has bytes")
	}
	if r.err != nil {
		return
	}
	sizes := make([]uint64, count)
	for i := range sizes {
		sizes[i] = r.uvarint()
	}
	values := make([]string, count)
	for i := range values {
		values[i] = string(r.take(sizes[i]))
	}
	for i := 0; i < n && r.err == nil; i++ {
		index := r.uvarint()
		if index >= count {
			r.fail("points outside of its values")
			return
		}
		set(i, values[index])
	}
}
