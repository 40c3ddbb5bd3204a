package feeds

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// PushPath is where feeds are pushed to, followed by the feed's name.
const PushPath = "/v1/feeds/"

// maxAtOnce bounds the requests that are read at once.
const maxAtOnce = 4

// Receiver takes feeds over HTTP: PUT of the whole, POST of what is to be added or
// replaced. Who sends is known by the feed's bearer token. The answer is 202 once the
// change is in the log, 409 where too much would be forgotten, 422 where the text
// can't be used, and 503 while the log is being judged after a start.
type Receiver struct {
	service *Service
	tokens  map[string][sha256.Size]byte
	slots   chan struct{}
}

// NewReceiver makes a receiver for the feeds that have tokens, by name.
func NewReceiver(s *Service, tokens map[string]string) (*Receiver, error) {
	r := &Receiver{service: s, tokens: map[string][sha256.Size]byte{}, slots: make(chan struct{}, maxAtOnce)}
	for name, token := range tokens {
		if token == "" {
			return nil, fmt.Errorf("the token of feed %q is empty", name)
		}
		r.tokens[name] = sha256.Sum256([]byte(token))
	}
	return r, nil
}

// allowed reports whether the request has the feed's token, in a time that tells
// nothing about it.
func (h *Receiver) allowed(r *http.Request, name string) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	have := sha256.Sum256([]byte(strings.TrimSpace(token)))
	want, known := h.tokens[name]
	same := subtle.ConstantTimeCompare(have[:], want[:]) == 1
	return known && same && strings.EqualFold(scheme, "Bearer")
}

// ServeHTTP takes one text.
func (h *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, PushPath)
	if !h.allowed(r, name) {
		w.WriteHeader(http.StatusUnauthorized) // bare: a guess learns nothing
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		w.Header().Set("Allow", "PUT, POST")
		answer(w, http.StatusMethodNotAllowed, trouble{Detail: "Send the whole feed with PUT, or what is new with POST."})
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusTooManyRequests, trouble{Detail: "Too many feeds are being read at once: send this one again."})
		return
	}
	text, err := body(w, r)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) || errors.Is(err, errLarge) {
			answer(w, http.StatusRequestEntityTooLarge, trouble{Detail: fmt.Sprintf("The text is larger than %d bytes.", MaxText)})
			return
		}
		answer(w, http.StatusBadRequest, trouble{Detail: "The body can't be read: send it again, plain or packed with gzip."})
		return
	}
	taken, err := h.service.Push(r.Context(), name, r.Header.Get("Content-Type"), text, r.Method == http.MethodPost)
	h.tell(r.Context(), w, taken, err)
}

var errLarge = errors.New("the text is too large")

func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	packed, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxText))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return packed, nil
	case "gzip":
	default:
		return nil, errors.New("the encoding is not known")
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack body: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("unpack body: %w", err)
	}
	if len(text) > MaxText {
		return nil, errLarge
	}
	return text, nil
}

// trouble is the answer to a text that was not taken; its fields are of RFC 9457.
type trouble struct {
	Title    string    `json:"title"`
	Status   int       `json:"status"`
	Detail   string    `json:"detail"`
	Problems []Problem `json:"problems,omitempty"`
}

// told is the answer to one that was.
type told struct {
	Records  int       `json:"records"`
	Changed  int       `json:"changed"`
	Removed  int       `json:"removed"`
	Aside    int       `json:"set_aside"`
	Problems []Problem `json:"problems,omitempty"`
}

func (h *Receiver) tell(ctx context.Context, w http.ResponseWriter, t Taken, err error) {
	var bad *Error
	var refused *RefusedError
	switch {
	case err == nil:
		answer(w, http.StatusAccepted, told{t.Records, t.Changed, t.Removed, t.Aside, t.Problems})
	case errors.As(err, &bad):
		answer(w, http.StatusUnprocessableEntity, trouble{Detail: bad.Problem.String(), Problems: []Problem{bad.Problem}})
	case errors.As(err, &refused):
		answer(w, http.StatusConflict, trouble{Detail: refused.Error()})
	default:
		if ctx.Err() == nil && !errors.Is(err, ErrNotReady) {
			h.service.opts.Logger.Error("a pushed feed could not be kept", "error", err.Error())
		}
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, trouble{Detail: "The feed can't be kept right now: send it again."})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	kind := "application/json"
	if t, ok := v.(trouble); ok {
		t.Title, t.Status = http.StatusText(status), status
		v, kind = t, "application/problem+json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	// The sender may have gone; then nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}
