package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Hashing says how dear one try of a password is made.
type Hashing struct {
	// Memory is in KiB, Passes counts how often it is gone over, Threads by how many at
	// once.
	Memory, Passes uint32
	Threads        uint8
}

// DefaultHashing is the second recommended option of RFC 9106 (Biryukov, Dinu,
// Khovratovich, Josefsson: Argon2, 2021), section 4: 64 MiB, three passes.
func DefaultHashing() Hashing { return Hashing{Memory: 64 << 10, Passes: 3, Threads: 4} }

const (
	saltSize = 16
	hashSize = 32
	// What a stored hash may ask for at most: a damaged one must not take all memory.
	mostMemory = 1 << 20 // KiB
	mostPasses = 64
)

var errHash = errors.New("the stored hash of a password can't be read")

// hash makes an argon2id hash of a password under a salt of its own, with its
// parameters, in the usual text form ($argon2id$v=19$m=…,t=…,p=…$salt$hash).
func (h Hashing) hash(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, h.Passes, h.Memory, h.Threads, hashSize)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Passes, h.Threads, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// verify reports whether a stored hash is that of a password, by the parameters that are
// stored with it.
func verify(stored, password string) (bool, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false, errHash
	}
	var version int
	var h Hashing
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.Memory, &h.Passes, &h.Threads); err != nil {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errHash
	}
	sum, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 || h.Passes == 0 || h.Passes > mostPasses || h.Memory > mostMemory || h.Threads == 0 {
		return false, errHash
	}
	got := argon2.IDKey([]byte(password), salt, h.Passes, h.Memory, h.Threads, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1, nil
}
