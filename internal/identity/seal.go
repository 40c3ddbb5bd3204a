package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// keys are those of this package, each for one purpose, all derived from one secret: who
// has one of them has none of the others.
type keys struct {
	names  cipher.AEAD
	states cipher.AEAD
	forms  []byte
	marks  []byte
	deeds  []byte
}

// The purposes, as HKDF (RFC 5869) takes them.
const (
	purposeNames  = "vigil identity: names of accounts"
	purposeStates = "vigil identity: sign-ins under way"
	purposeForms  = "vigil identity: forms of sessions"
	purposeMarks  = "vigil identity: addresses and subjects"
	purposeDeeds  = "vigil identity: secrets of deeds"
)

func newKeys(secret []byte) (keys, error) {
	var failed error
	derive := func(purpose string) []byte {
		key, err := hkdf.Key(sha256.New, secret, nil, purpose, 32)
		failed = errors.Join(failed, err)
		return key
	}
	aead := func(purpose string) cipher.AEAD {
		block, err := aes.NewCipher(derive(purpose))
		if err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		out, err := cipher.NewGCM(block)
		failed = errors.Join(failed, err)
		return out
	}
	k := keys{names: aead(purposeNames), states: aead(purposeStates), forms: derive(purposeForms), marks: derive(purposeMarks), deeds: derive(purposeDeeds)}
	return k, failed
}

// seal hides a text, bound to what it belongs to: it opens nowhere else.
func seal(a cipher.AEAD, text []byte, belongs string) []byte {
	nonce := make([]byte, a.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return a.Seal(nonce, nonce, text, []byte(belongs))
}

func open(a cipher.AEAD, sealed []byte, belongs string) ([]byte, error) {
	if len(sealed) < a.NonceSize() {
		return nil, errors.New("what was sealed is cut")
	}
	out, err := a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], []byte(belongs))
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: is it another pseudonym key? %w", err)
	}
	return out, nil
}

// mark is a keyed hash of a text, in hexadecimal digits: it tells the same again, and
// nothing else.
func mark(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		_, _ = h.Write(append([]byte(p), 0)) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// digest is what is kept of a secret that is random itself.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
