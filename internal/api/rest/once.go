package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"

	"vigil/internal/api"
)

// OnceHeader is the header that names a write, so that it is done once however often it
// comes: who does not hear the answer sends it again. The same key of the same person
// with the same body is answered alike for a day, and with another body refused. Two at
// once: the second waits for the first.
//
// A write that failed is not kept: the next one of its key tries again. What was done
// although its answer could not be kept is not done twice either, where the service knows
// deeds (api.DeedOf).
const OnceHeader = "Idempotency-Key"

// maxOnceKey bounds a key in bytes, maxOnceAnswer the answer that is kept.
const (
	maxOnceKey    = 128
	maxOnceAnswer = 64 << 10
)

var (
	errOnceKey = badRequest("The header %s is not 1 to %d letters, digits and other signs of ASCII without spaces.", OnceHeader, maxOnceKey)
	errReused  = api.NewProblem(http.StatusUnprocessableEntity, "This key was used for something else",
		"The header "+OnceHeader+" names one write: take another key for another one. Nothing was done.")
)

// turns lets the writes of one key come one after the other.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn is over
}

// take waits for the turn of a key. The error is that of the context.
func (t *turns) take(ctx context.Context, key string) (over func(), err error) {
	for {
		t.mu.Lock()
		before, busy := t.taken[key]
		if !busy {
			mine := make(chan struct{})
			t.taken[key] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, key)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once is a write that brought a key along.
type once struct{ key, print string }

// readOnce reads the key of a write, nil where none came along. It reads the body, and
// leaves it to be read again.
func readOnce(w http.ResponseWriter, r *http.Request) (*once, *api.Problem) {
	given := r.Header.Values(OnceHeader)
	if len(given) == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil, nil
	}
	key := given[0]
	if len(given) > 1 || key == "" || len(key) > maxOnceKey {
		return nil, errOnceKey
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return nil, errOnceKey
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody+1)) // one longer is refused when it is read
	if err != nil {
		return nil, bodyProblem(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return &once{
		key:   hashOf("key", api.PersonOf(r.Context()).By, key),
		print: hashOf("write", r.Method, r.URL.Path, string(body)),
	}, nil
}

// hashOf is the SHA-256 of some texts, each with its end.
func hashOf(texts ...string) string {
	h := sha256.New()
	for _, s := range texts {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
