package columnar

import (
	"encoding/binary"
	"time"

	"vigil"
)

// The ways in which a column is written. A column in which all values are the
// same takes a few bytes: most columns of most sources are like that.
const (
	modeConst = iota
	modeEach
)

// version is the form of the raw bytes: version, number of events, then each
// column as its number, its length and its payload.
const version = 1

func encodeRaw(events []*vigil.Event) []byte {
	w := &writer{buf: make([]byte, 0, 64+len(events)*64)}
	w.uvarint(version)
	w.uvarint(uint64(len(events)))
	if len(events) == 0 {
		return w.buf
	}
	w.column(colTime, func() { w.times(events, func(e *vigil.Event) time.Time { return e.Time }) })
	w.column(colReceived, func() { w.times(events, func(e *vigil.Event) time.Time { return e.Received }) })
	w.column(colID, func() {
		for _, e := range events {
			w.uvarint(uint64(len(e.ID)))
		}
		for _, e := range events {
			w.buf = append(w.buf, e.ID...)
		}
	})
	w.column(colHash, func() {
		for _, e := range events {
			w.buf = binary.LittleEndian.AppendUint64(w.buf, e.Origin.Hash)
		}
	})
	for _, c := range intColumns {
		w.column(c.number, func() { w.ints(len(events), func(i int) int64 { return c.get(events[i]) }) })
	}
	w.lists(colSubjectsLen, colSubjects, events, func(e *vigil.Event) []string { return e.Subjects })
	w.lists(colFieldsLen, colFields, events, func(e *vigil.Event) []string { return e.Fields })
	for i, c := range stringColumns {
		w.column(colStrings+i, func() { w.strings(len(events), func(i int) string { return c.get(events[i]) }) })
	}
	return w.buf
}

type writer struct {
	buf     []byte
	scratch []byte
	dict    map[string]uint32
}

func (w *writer) uvarint(v uint64) { w.buf = binary.AppendUvarint(w.buf, v) }
func (w *writer) varint(v int64)   { w.buf = binary.AppendVarint(w.buf, v) }

// column writes what payload appends, with its number and length before it.
func (w *writer) column(number int, payload func()) {
	outer := w.buf
	w.buf = w.scratch[:0]
	payload()
	w.scratch, w.buf = w.buf, outer
	w.uvarint(uint64(number))
	w.uvarint(uint64(len(w.scratch)))
	w.buf = append(w.buf, w.scratch...)
}

func (w *writer) ints(n int, at func(int) int64) {
	first, same := at(0), true
	for i := 1; i < n && same; i++ {
		same = at(i) == first
	}
	if same {
		w.buf = append(w.buf, modeConst)
		w.varint(first)
		return
	}
	w.buf = append(w.buf, modeEach)
	var last int64
	for i := range n {
		v := at(i)
		w.varint(v - last)
		last = v
	}
}

// times writes seconds by difference, then nanoseconds: exact for every time
// that Go can hold, the zero time included.
func (w *writer) times(events []*vigil.Event, get func(*vigil.Event) time.Time) {
	w.ints(len(events), func(i int) int64 { return get(events[i]).Unix() })
	w.ints(len(events), func(i int) int64 { return int64(get(events[i]).Nanosecond()) })
}

func (w *writer) lists(lenColumn, column int, events []*vigil.Event, get func(*vigil.Event) []string) {
	total := 0
	w.column(lenColumn, func() {
		w.ints(len(events), func(i int) int64 { return int64(len(get(events[i]))) })
	})
	for _, e := range events {
		total += len(get(e))
	}
	flat := make([]string, 0, total)
	for _, e := range events {
		flat = append(flat, get(e)...)
	}
	w.column(column, func() { w.strings(len(flat), func(i int) string { return flat[i] }) })
}

// strings writes the distinct values in the order of first sight, then each
// value's index.
func (w *writer) strings(n int, at func(int) string) {
	if n == 0 {
		return
	}
	first, same := at(0), true
	for i := 1; i < n && same; i++ {
		same = at(i) == first
	}
	if same {
		w.buf = append(w.buf, modeConst)
		w.uvarint(uint64(len(first)))
		w.buf = append(w.buf, first...)
		return
	}
	w.buf = append(w.buf, modeEach)
	if w.dict == nil {
		w.dict = make(map[string]uint32)
	}
	clear(w.dict)
	indexes := make([]uint32, n)
	var distinct []string
	lastValue, lastIndex := "", -1
	for i := range n {
		s := at(i)
		if lastIndex >= 0 && s == lastValue {
			indexes[i] = uint32(lastIndex)
			continue
		}
		index, ok := w.dict[s]
		if !ok {
			index = uint32(len(distinct))
			w.dict[s] = index
			distinct = append(distinct, s)
		}
		indexes[i] = index
		lastValue, lastIndex = s, int(index)
	}
	w.uvarint(uint64(len(distinct)))
	for _, s := range distinct {
		w.uvarint(uint64(len(s)))
	}
	for _, s := range distinct {
		w.buf = append(w.buf, s...)
	}
	for _, index := range indexes {
		w.uvarint(uint64(index))
	}
}
