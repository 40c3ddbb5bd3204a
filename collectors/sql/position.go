package sqltable

import (
	"encoding/binary"
	"slices"
)

// maxSaved bounds the rows that a position remembers, of those that will be looked at
// again, at 8 bytes each. Others are offered once more after a restart, and not counted.
const maxSaved = 4_096

// position is how far a table was read, as the ledger keeps it.
type position struct {
	// Of is what it is a position in: the table, its cursor and how it is read. For
	// another one reading begins anew.
	Of string `json:"of"`
	// Identity is which table it was: another one of that name is told.
	Identity string `json:"identity,omitempty"`
	// Last is when rows were last read, in seconds since 1970.
	Last int64 `json:"last,omitempty"`

	// Of numbers: the highest that was seen, the hash of its row, and the gaps below.
	// Caught says that the end was reached once.
	High   *int64 `json:"high,omitempty"`
	Anchor uint64 `json:"anchor,omitempty"`
	Gaps   []gap  `json:"gaps,omitempty"`
	Caught bool   `json:"caught,omitempty"`

	// Of other cursors: from where rows are looked at again, how far a look has come (nil
	// when it is over), the ends that were seen, and the hashes of rows that were.
	Low   *string `json:"low,omitempty"`
	At    *string `json:"at,omitempty"`
	Began began   `json:"began,omitzero"`
	Marks []mark  `json:"marks,omitempty"`
	Seen  []byte  `json:"seen,omitempty"`

	// Format is the state of the stream.
	Format []byte `json:"format,omitempty"`
}

// began is when a look began: the time, and the oldest transaction that ran.
type began struct {
	Time int64 `json:"t"`
	Xmin int64 `json:"x,omitempty"`
}

// mark is where the end of a table was at a time.
type mark struct {
	High string `json:"h,omitempty"`
	Time int64  `json:"t"`
	Xmax int64  `json:"x,omitempty"`
}

// soundOf reports of positions whether they are in what of names, and such as we make.
func soundOf(of string) func(p *position) bool {
	return func(p *position) bool { return p.Of == of && p.sound() }
}

// sound reports whether the gaps are such as we make.
func (p *position) sound() bool {
	if len(p.Gaps) > maxGaps || len(p.Marks) > 2*maxMarks || len(p.Seen) > 8*maxSaved || p.High == nil && len(p.Gaps) > 0 {
		return false
	}
	for i, g := range p.Gaps {
		if g.From > g.To || g.To >= *p.High || i > 0 && g.From <= p.Gaps[i-1].To {
			return false
		}
	}
	return true
}

func packHashes(hashes []uint64) []byte {
	hashes = hashes[max(0, len(hashes)-maxSaved):]
	out := make([]byte, 0, 8*len(hashes))
	for _, h := range hashes {
		out = binary.BigEndian.AppendUint64(out, h)
	}
	return out
}

func unpackHashes(b []byte) []uint64 {
	var out []uint64
	for chunk := range slices.Chunk(b, 8) {
		if len(chunk) == 8 {
			out = append(out, binary.BigEndian.Uint64(chunk))
		}
	}
	return out
}
