// Package otlp takes logs and traces from OpenTelemetry exporters: OTLP 1 over gRPC
// (LogsService, TraceService) and over HTTP (POST /v1/logs and /v1/traces, protobuf or
// JSON, plain or packed with gzip or zstd). Metrics are answered as not implemented.
//
// The program mounts [Receiver.Handler] on its HTTP listeners and calls
// [Receiver.ServeGRPC] with a listener of its own. Who sends is told by the bearer token
// alone; what a request says of itself (its resources) may not change that.
//
// A request is answered with success only after the sink has taken every batch of it.
// When the sink fails or is behind, the sender is told to come again, with when, and it
// sends the same bytes: ids are made of the records, so that each counts once. Records that
// can't be read are set aside; the answer tells how many (partial success) and the first
// reason. A request that can't be read at all is set aside as one.
//
// # Ids
//
// A span is known by itself: the same span sent twice, to the last attribute, is one. A
// log record without an id of its own is known by a hash of all that is in it, times
// included, of its resource, and of how many equal ones come before it in its request:
// equal records of one request count each, a request sent again counts once, and equal
// records of two requests count once unless they differ in anything, such as the
// nanosecond.
//
// # Order and bounds
//
// Requests of one source are decoded and handed over one at a time, in the order in which
// they get their turn: what the decoders remember (of traces, of connections) is never
// ahead of what the sink has taken, but for one batch that it refused, which is kept and
// offered again before anything else of the source is decoded. At most MaxRequests
// requests of a source are in memory and eight times as many wait, for at most Timeout;
// beyond either the sender is told to come again. So a flood from one source holds up that
// source alone. A request has at most MaxBody bytes and 250,000 records, and is decoded in
// windows of 8 MiB. Of a source, up to 64 streams of bodies (by resource and file) have
// decoders of their own; of more, the one used least recently is forgotten. Connections
// that are slow or half-open end.
package otlp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
)

// retryAfter is when a sender that was turned away should come back.
const retryAfter = 5 * time.Second

// Receiver takes OTLP for a set of sources. It is safe for concurrent use.
type Receiver struct {
	cfg     Config
	opts    Options
	sink    collectors.Sink
	sources atomic.Pointer[[]*source]
	binary  binary
}

// reason says why a request is refused.
type reason int

const (
	refusedBad   reason = iota + 1 // it can't be read, and will not be
	refusedLarge                   // it is too large
	refusedBusy                    // too many of the source are under way: it should come again
	refusedSink                    // the sink did not take it: it should come again
)

// refusal is a request that is not taken.
type refusal struct {
	reason reason
	text   string
	// wait is when it should come again; zero means retryAfter.
	wait time.Duration
}

// after is when the sender should come again.
func (e *refusal) after() time.Duration {
	if e.wait > 0 {
		return e.wait
	}
	return retryAfter
}

func (e *refusal) Error() string { return e.text }

func refuse(r reason, format string, args ...any) *refusal {
	return &refusal{reason: r, text: fmt.Sprintf(format, args...)}
}

// result is what became of a request that was taken.
type result struct {
	rejected int64
	text     string
}

// sender tells who sends by an Authorization header, nil for nobody we know. Every token is
// compared each time, each in constant time.
func (r *Receiver) sender(authorization string) *source {
	scheme, token, _ := strings.Cut(authorization, " ")
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found *source
	for _, s := range *r.sources.Load() {
		if subtle.ConstantTimeCompare(digest[:], s.digest[:]) == 1 {
			found = s
		}
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	return found
}

// enter waits for room for one more request of the source, before its body is read.
func (r *Receiver) enter(ctx context.Context, s *source) (leave func(), err error) {
	busy := refuse(refusedBusy, "too many requests of this source are under way: send this one again")
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	default:
	}
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return nil, busy
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, busy
	}
}

// take takes a request. body unpacks it; that is done in the source's turn, so that only
// one of its requests is unpacked in memory.
func (r *Receiver) take(ctx context.Context, s *source, sig signal, enc encoding, body func() ([]byte, error)) (result, error) {
	wait, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-wait.Done():
		return result{}, refuse(refusedBusy, "the requests before this one take too long: send this one again")
	}
	if err := r.offer(ctx, s, nil); err != nil {
		return result{}, err
	}
	raw, err := body()
	if err != nil {
		return result{}, r.unreadable(ctx, s, sig, raw, err)
	}
	if _, err = enc.check(sig, raw); err != nil {
		bad := refuse(refusedBad, "the request can't be read: %v", err)
		if errors.Is(err, errTooMany) {
			bad = refuse(refusedLarge, "the request is too large: %v; send fewer at once", err)
		}
		return result{}, r.unreadable(ctx, s, sig, raw, bad)
	}
	out, err := r.decode(ctx, s, sig, enc, raw)
	var crash *crashed
	if errors.As(err, &crash) {
		// What the decoders remember can't be trusted any more.
		s.forget()
		r.opts.Logger.Error("a request made a decoder fail and is set aside", "source", s.name, "error", fmt.Sprintf("%q", crash.text))
		return result{}, r.unreadable(ctx, s, sig, raw, refuse(refusedBad, "the request made a decoder fail"))
	}
	return out, err
}

// crashed is a panic of a decoder.
type crashed struct{ text string }

func (c *crashed) Error() string { return c.text }

func (r *Receiver) decode(ctx context.Context, s *source, sig signal, enc encoding, raw []byte) (out result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &crashed{fmt.Sprintf("%v\n%s", p, debug.Stack())}
		}
	}()
	in := newReading(s, sig, r.opts.Now().UTC(), func(b collectors.Batch) error { return r.offer(ctx, s, &b) })
	enc.each(sig, raw, in.take)
	in.end()
	return result{in.rejected, in.why}, in.err
}

// unreadable sets a request aside as one, and says how it is answered.
func (r *Receiver) unreadable(ctx context.Context, s *source, sig signal, raw []byte, err error) error {
	var bad *refusal
	if !errors.As(err, &bad) {
		bad = refuse(refusedBad, "the request can't be read: %v", err)
	}
	code := "request"
	if bad.reason == refusedLarge {
		code = "too-long"
	}
	now := r.opts.Now().UTC()
	q := vigil.Quarantined{
		Source: s.name, File: streamName(sig), Line: 1, Offset: place(formats.RecordHash(raw)), Time: now,
		Code: code, Reason: bad.text, Size: int64(len(raw)), Hash: formats.RecordHash(raw),
	}
	if raw == nil {
		q.Offset, q.Hash = place(uint64(now.UnixNano())), 0
	}
	if err := r.offer(ctx, s, &collectors.Batch{Quarantined: []vigil.Quarantined{q}}); err != nil {
		return err
	}
	return bad
}

// offer hands a batch to the sink, which may be nil, after that which it refused before.
// The caller has the source's turn.
func (r *Receiver) offer(ctx context.Context, s *source, b *collectors.Batch) error {
	if s.held == nil {
		s.held, b = b, nil
	}
	for s.held != nil {
		s.held.Source = s.name
		within, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
		err := r.sink.Accept(within, *s.held)
		cancel()
		var later collectors.Later
		if errors.As(err, &later) {
			return &refusal{refusedBusy, "this source brings more than it may: send the same request again, each record will count once", later.RetryAfter()}
		}
		if err != nil {
			if !s.failing {
				s.failing = true
				r.opts.Logger.Warn("what came by OTLP can't be kept; senders are told to come again", "source", s.name, "error", err.Error())
			}
			return refuse(refusedSink, "the records can't be kept right now: send the same request again, each record will count once")
		}
		s.failing = false
		s.held, b = b, nil
	}
	return nil
}
