package rest

import (
	"encoding/base64"
	"encoding/binary"

	"vigil/collectors/formats"
)

const (
	// maxSeen bounds the records that are remembered as taken. One that is forgotten is
	// offered again when it is read again, and counts once by its id.
	maxSeen = 1 << 16
	// keptSeen is how many of the latest of them go into a position.
	keptSeen = 2048
)

// seen remembers records by their hashes: what stood in an earlier page, byte for byte,
// is not decoded again.
type seen struct {
	known map[uint64]struct{}
	ring  []uint64
	at    int
}

// hash is that of a record as it came. Records that differ in anything differ in it.
func hash(record []byte) uint64 { return formats.RecordHash(record) }

// place is a record's place in its stream, the same whenever it is read.
func place(h uint64) int64 { return int64(h >> 22) }

func (s *seen) has(h uint64) bool {
	_, ok := s.known[h]
	return ok
}

func (s *seen) add(h uint64) {
	if s.has(h) {
		return
	}
	if s.known == nil {
		s.known = map[uint64]struct{}{}
	}
	if len(s.ring) < maxSeen {
		s.ring = append(s.ring, h)
	} else {
		delete(s.known, s.ring[s.at])
		s.ring[s.at] = h
		s.at = (s.at + 1) % maxSeen
	}
	s.known[h] = struct{}{}
}

// text is the latest of them, for a position, with those that come next behind them.
func (s *seen) text(next []uint64) string {
	n := min(len(s.ring), max(0, keptSeen-len(next)))
	b := make([]byte, 0, 8*(n+len(next)))
	for i := range n {
		b = binary.BigEndian.AppendUint64(b, s.ring[(s.at+len(s.ring)-n+i)%len(s.ring)])
	}
	for _, h := range next[max(0, len(next)-keptSeen):] {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// take takes a text back. What is none is passed over: it costs reading again.
func (s *seen) take(text string) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return
	}
	for ; len(b) >= 8; b = b[8:] {
		s.add(binary.BigEndian.Uint64(b))
	}
}
