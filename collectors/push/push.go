// Package push takes what applications send: POST /v1/events with one native event a
// line, or with a log of any other format, plain or packed with gzip or zstd.
//
// The server mounts a [Handler]; many requests run at once, up to a bound, and
// beyond it the sender is told to come back. Who sends is told by the bearer
// token alone: the receiver stamps the source, whatever the payload says. A
// request is answered 202 only after the sink has taken every batch of it. Bad
// lines are set aside and counted, good ones beside them are taken. A sender that
// got no answer sends the same again: events keep their ids (their own, else one
// made of the request's key and the line), so each counts once. When the sink
// is behind or fails, the answer is 503 with Retry-After, when the source brings more
// than it may 429, and nothing is lost that the sender still has. One source may have half
// of the requests read at once, so that a flood of its own leaves room for the others. A cancelled request stops at the next batch.
package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
)

// The defaults of Config.
const (
	defaultMaxBody     = 16 << 20
	defaultMaxUnpacked = 256 << 20
	defaultMaxRatio    = 300
	defaultMaxRequests = 8
	defaultTimeout     = 30 * time.Second
)

const (
	// batchEvents and batchBytes bound what is handed to the sink at once.
	batchEvents = 10_000
	batchBytes  = 8 << 20
	// ratioFloor is what a body may unpack to before its ratio is looked at.
	ratioFloor = 4 << 20
	// retryAfter is when a sender that was turned away should come back, in seconds.
	retryAfter = "5"
	// readTimeout bounds how long a sender may take for one body.
	readTimeout = 2 * time.Minute
	// maxKey bounds the Idempotency-Key header, in bytes.
	maxKey = 256
)

// Config says who may send and how much.
type Config struct {
	// Sources are those that may send. At least one.
	Sources []Source
	// MaxBody bounds a request's body as sent, in bytes; zero means 16 MiB.
	MaxBody int64
	// MaxUnpacked bounds it unpacked, in bytes; zero means 256 MiB.
	MaxUnpacked int64
	// MaxRequests bounds the requests being read at once; zero means 8. Their
	// packed bodies are held in memory.
	MaxRequests int
	// Timeout bounds how long the sink may take for one batch; zero means 30 s.
	Timeout time.Duration
	// Now tells the time of arrival; nil means the clock.
	Now func() time.Time
}

// Source is one sender, known by its token.
type Source struct {
	// Token is its secret, not empty and not another source's.
	Token string
	// Decode names the source and says how its records are read. Without a format they
	// are native events, or what the first of them looks like.
	Decode decode.Config
}

// Handler is the receiver. Mount it at /v1/events.
type Handler struct {
	cfg     Config
	sink    collectors.Sink
	senders []*sender
	slots   chan struct{}
}

// sender is one source with its token's digest: digests have one length, so
// that comparing them tells nothing about the token's.
type sender struct {
	source string
	decode decode.Config
	digest [sha256.Size]byte
	// slots are its own share of the handler's.
	slots chan struct{}
	// last is the format that was found last, where none is configured.
	last atomic.Pointer[formats.Format]
}

// New makes a receiver that hands what it takes to sink.
func New(cfg Config, sink collectors.Sink) (*Handler, error) {
	if len(cfg.Sources) == 0 {
		return nil, errors.New("push: no source has a token")
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.MaxUnpacked <= 0 {
		cfg.MaxUnpacked = defaultMaxUnpacked
	}
	if cfg.MaxRequests <= 0 {
		cfg.MaxRequests = defaultMaxRequests
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &Handler{cfg: cfg, sink: sink, slots: make(chan struct{}, cfg.MaxRequests)}
	owner := map[string]string{}
	for _, src := range cfg.Sources {
		name := src.Decode.Source
		if err := src.Decode.Check(); err != nil {
			return nil, fmt.Errorf("push: source %q: %w", name, err)
		}
		if src.Token == "" {
			return nil, fmt.Errorf("push: the token of source %q is empty", name)
		}
		if other, twice := owner[src.Token]; twice {
			first, second := min(name, other), max(name, other)
			return nil, fmt.Errorf("push: sources %q and %q have the same token: give each its own", first, second)
		}
		owner[src.Token] = name
		h.senders = append(h.senders, &sender{
			source: name, decode: src.Decode, digest: sha256.Sum256([]byte(src.Token)), slots: make(chan struct{}, max(1, cfg.MaxRequests/2)),
		})
	}
	slices.SortFunc(h.senders, func(a, b *sender) int { return strings.Compare(a.source, b.source) })
	return h, nil
}

// sender tells who sends, or nil. Every token is compared each time, each in constant
// time.
func (h *Handler) sender(r *http.Request) *sender {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found *sender
	for _, s := range h.senders {
		if subtle.ConstantTimeCompare(digest[:], s.digest[:]) == 1 {
			found = s
		}
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	return found
}

// enter takes a place among the requests being read; leave gives it back.
func (h *Handler) enter(s *sender) (leave func(), ok bool) {
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, false
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-s.slots }, true
	default:
		<-s.slots
		return nil, false
	}
}

// taken says whether a body of that content type is read: lines in whatever guise
// senders give them, and curl's own guess for --data-binary.
func taken(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains([]string{
		"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json",
		"text/plain", "application/octet-stream", "application/x-www-form-urlencoded",
	}, kind)
}

// ServeHTTP takes one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := h.sender(r)
	if from == nil {
		// Bare: a guess learns nothing.
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed, "Send events with POST.", 0)
		return
	}
	if !taken(r.Header.Get("Content-Type")) {
		problem(w, http.StatusUnsupportedMediaType, "Send one JSON object a line, as application/x-ndjson.", 0)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		problem(w, http.StatusBadRequest, fmt.Sprintf("The Idempotency-Key has %d bytes, at most %d are taken.", len(key), maxKey), 0)
		return
	}
	if r.ContentLength > h.cfg.MaxBody {
		h.tooLarge(w)
		return
	}
	leave, ok := h.enter(from)
	if !ok {
		w.Header().Set("Retry-After", retryAfter)
		problem(w, http.StatusTooManyRequests, "Too many requests are being read at once: send this one again.", 0)
		return
	}
	defer leave()
	// A sender that trickles must not hold its slot for ever. A server that can't
	// set deadlines has its own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.cfg.MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			h.tooLarge(w)
			return
		}
		problem(w, http.StatusBadRequest, "The body could not be read to its end: send it again.", 0)
		return
	}
	text, err := unpack(body, r.Header.Get("Content-Encoding"), h.cfg.MaxUnpacked)
	if err != nil {
		var bad *unpackError
		if errors.As(err, &bad) {
			problem(w, bad.status, bad.reason, 0)
			return
		}
		problem(w, http.StatusBadRequest, "The body can't be unpacked.", 0)
		return
	}
	if key == "" {
		sum := sha256.Sum256(body)
		key = fmt.Sprintf("%x", sum[:12])
	}
	h.receive(r.Context(), w, from, key, text)
}

func (h *Handler) tooLarge(w http.ResponseWriter) {
	problem(w, http.StatusRequestEntityTooLarge,
		fmt.Sprintf("The body is larger than %d bytes: send fewer events at once, or pack them with gzip.", h.cfg.MaxBody), 0)
}

// receive reads the records and answers.
func (h *Handler) receive(ctx context.Context, w http.ResponseWriter, from *sender, key string, text io.Reader) {
	in := &intake{h: h, from: from, key: key, now: h.cfg.Now().UTC()}
	err := in.read(ctx, text)
	var bad *unpackError
	var later collectors.Later
	switch {
	case errors.As(err, &later):
		w.Header().Set("Retry-After", seconds(later.RetryAfter()))
		problem(w, http.StatusTooManyRequests, "This source brings more than it may: send the same request again later, each event will count once.", 0)
	case errors.Is(err, errSink):
		w.Header().Set("Retry-After", retryAfter)
		problem(w, http.StatusServiceUnavailable, "The events can't be kept right now: send the same request again, each event will count once.", 0)
	case errors.As(err, &bad):
		problem(w, bad.status, bad.reason, in.line)
	case err != nil:
		problem(w, http.StatusBadRequest, "The body can't be read: "+err.Error(), in.line)
	case in.accepted == 0 && len(in.errors) > 0:
		first := in.errors[0]
		problem(w, http.StatusUnprocessableEntity, first.Reason, first.Line)
	default:
		answer(w, http.StatusAccepted, "application/json", accepted{in.accepted, in.quarantined, in.errors})
	}
}

// seconds writes a wait as Retry-After has it, at least one.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))) }

// unpackError is a body that can't be unpacked.
type unpackError struct {
	status int
	reason string
}

func (e *unpackError) Error() string { return e.reason }

// unpack returns the body's text, bounded.
func unpack(body []byte, encoding string, most int64) (io.Reader, error) {
	raw := bytes.NewReader(body)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return &bounded{r: raw, most: most}, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, &unpackError{http.StatusBadRequest, "The body is not gzip, as Content-Encoding says."}
		}
		return &bounded{r: z, most: most, packed: int64(len(body))}, nil
	case "zstd":
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(16<<20))
		if err != nil {
			return nil, &unpackError{http.StatusBadRequest, "The body is not zstd, as Content-Encoding says."}
		}
		return &bounded{r: z, most: most, packed: int64(len(body))}, nil
	}
	return nil, &unpackError{http.StatusUnsupportedMediaType, "The Content-Encoding is not known: use gzip or zstd, or none."}
}

// bounded stops a body that unpacks to too much.
type bounded struct {
	r      io.Reader
	most   int64
	packed int64
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.n > b.most {
		return 0, &unpackError{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body unpacks to more than %d bytes: send fewer events at once.", b.most)}
	}
	if b.packed > 0 && b.n > ratioFloor && b.n/defaultMaxRatio > b.packed {
		return 0, &unpackError{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body unpacks to more than %d times its size.", defaultMaxRatio)}
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) && b.packed > 0 {
		err = &unpackError{http.StatusBadRequest, "The packed body is damaged or cut off: send it again."}
	}
	return n, err
}
