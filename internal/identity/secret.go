package identity

import (
	"crypto/rand"
	"encoding/base32"
)

// letters is Crockford's base 32 in lower case: no i, l, o or u to misread.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

// newSecret returns 160 random bits as 32 letters.
func newSecret() string { return randomText(20) }

// newID returns 60 bits and more as 13 letters, to name a thing.
func newID() string { return randomText(8) }

func randomText(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails
	return base32.NewEncoding(letters).WithPadding(base32.NoPadding).EncodeToString(b)
}
