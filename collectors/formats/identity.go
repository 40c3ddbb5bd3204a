package formats

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Identity makes the ids of records that carry none: a hash of the source, the
// input's name, the record's position in it and the record itself. The same
// record read twice has the same id; two equal records have two.
type Identity struct{ seed [16]byte }

// NewIdentity returns the identities of one input of one source.
func NewIdentity(source, file string) Identity {
	h := sha256.New()
	// Length-prefixed, so that no two pairs of names run together.
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(source)))
	h.Write(n[:])
	h.Write([]byte(source))
	h.Write([]byte(file))
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return Identity{seed: [16]byte(sum[:16])}
}

// RecordHash is the first 8 bytes of the record's SHA-256, as [vigil.Origin] and
// [vigil.Quarantined] hold it.
func RecordHash(record []byte) uint64 {
	sum := sha256.Sum256(record)
	return binary.BigEndian.Uint64(sum[:8])
}

// ID returns the id, 24 hexadecimal digits, of the record that starts at offset
// and has the given hash.
func (i Identity) ID(offset int64, hash uint64) string {
	var b [32]byte
	copy(b[:16], i.seed[:])
	binary.BigEndian.PutUint64(b[16:], uint64(offset))
	binary.BigEndian.PutUint64(b[24:], hash)
	sum := sha256.Sum256(b[:])
	var out [24]byte
	hex.Encode(out[:], sum[:12])
	return string(out[:])
}
