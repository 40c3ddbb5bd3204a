package relay

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors"
)

// The headers of a frame.
const (
	headerCollector = "Vigil-Collector"
	headerStream    = "Vigil-Stream"
	headerSource    = "Vigil-Source"
	headerSequence  = "Vigil-Sequence"
	headerPrevious  = "Vigil-Previous"
	headerSent      = "Vigil-Sent"
	headerSignature = "Vigil-Signature"
)

const (
	// maxSkew is how far a collector's clock may be from ours before that is told.
	maxSkew = time.Minute
	// tellAgain is how long the same lapse of a source is not told again.
	tellAgain = time.Hour
	// maxRequests bounds the frames being taken at once.
	maxRequests = 16
	// sinkTime bounds how long the sink may take for one frame.
	sinkTime = 30 * time.Second
	// bodyTime bounds how long a collector may take for one body.
	bodyTime = 2 * time.Minute
)

// Peer is a collector that may send.
type Peer struct {
	// Name is the collector's; Key is its secret, at least 16 bytes.
	Name string
	Key  []byte
	// Sources are those that it brings.
	Sources []string
}

// Config says who may send what.
type Config struct {
	// Peers are the collectors; with none nobody is let in. Their names are unique, and so
	// is who brings a source.
	Peers []Peer
	// Position returns what is committed for a source, nil for nothing. Required.
	Position func(ctx context.Context, source string) ([]byte, error)
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Receiver takes frames. Mount it at Path.
type Receiver struct {
	cfg   Config
	sink  collectors.Sink
	slots chan struct{}
	peers atomic.Pointer[map[string]*peer]
}

type peer struct {
	name    string
	key     []byte
	sources map[string]*chain
	// slots are its own share of the receiver's: the name is known before the signature is.
	slots chan struct{}
}

// chain is how far a source has come.
type chain struct {
	mu     sync.Mutex // held while a frame of the source is taken; guards all below
	known  bool
	at     *place
	told   map[vigil.LapseKind]time.Time
	source string
}

// place is the position of a source: the newest frame that was taken.
type place struct {
	Stream   string `json:"stream"`
	Sequence uint64 `json:"sequence"`
	Sum      string `json:"sum"`
}

// New makes a receiver that hands what it takes to sink.
func New(cfg Config, sink collectors.Sink) (*Receiver, error) {
	if cfg.Position == nil {
		return nil, errors.New("set up the receiver of collectors: no positions are given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &Receiver{cfg: cfg, sink: sink, slots: make(chan struct{}, maxRequests)}
	if err := r.Update(cfg.Peers); err != nil {
		return nil, err
	}
	return r, nil
}

// Update puts other peers in the place of those there are. What is known of sources that
// stay is kept, and frames that are being taken end as they began.
func (r *Receiver) Update(all []Peer) error {
	chains := map[string]*chain{}
	if old := r.peers.Load(); old != nil {
		for _, p := range *old {
			maps.Copy(chains, p.sources)
		}
	}
	peers := map[string]*peer{}
	for _, p := range all {
		if p.Name == "" || len(p.Key) < 16 || peers[p.Name] != nil {
			return fmt.Errorf("set up the receiver of collectors: %q needs a name of its own and a key of at least 16 bytes", p.Name)
		}
		own := &peer{name: p.Name, key: p.Key, sources: map[string]*chain{}, slots: make(chan struct{}, maxRequests/4)}
		for _, s := range p.Sources {
			c := chains[s]
			if c == nil {
				c = &chain{source: s, told: map[vigil.LapseKind]time.Time{}}
			}
			own.sources[s] = c
		}
		peers[p.Name] = own
	}
	r.peers.Store(&peers)
	return nil
}

// problem is an answer that says no.
type problem struct {
	status int
	detail string
	retry  time.Duration
}

func (p *problem) Error() string { return p.detail }

// ServeHTTP takes one frame.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send frames with POST", http.StatusMethodNotAllowed)
		return
	}
	err := r.serve(w, req)
	var no *problem
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, &no) && no.status == http.StatusUnauthorized:
		w.WriteHeader(no.status) // bare: a guess learns nothing
	case errors.As(err, &no):
		if no.retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(no.retry.Seconds())))))
		}
		http.Error(w, no.detail, no.status)
	default:
		http.Error(w, "the frame can't be taken", http.StatusInternalServerError)
	}
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) error {
	denied := &problem{status: http.StatusUnauthorized}
	p := (*r.peers.Load())[req.Header.Get(headerCollector)]
	if p == nil {
		return denied
	}
	for _, slots := range []chan struct{}{p.slots, r.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			return &problem{http.StatusTooManyRequests, "too many frames are being taken at once", time.Second}
		}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a server that can't has its own
	f, err := readFrame(w, req)
	if err != nil {
		return err
	}
	signature, err := hex.DecodeString(req.Header.Get(headerSignature))
	sent := req.Header.Get(headerSent)
	if err != nil || !hmac.Equal(signature, sign(p.key, p.name, sent, f)) {
		return denied
	}
	c := p.sources[f.Source]
	if c == nil {
		return &problem{http.StatusForbidden, "no source of that name is configured to come by this collector", 0}
	}
	b, err := Unpack(f.Body)
	if err != nil {
		return &problem{http.StatusUnprocessableEntity, err.Error(), 0}
	}
	return r.take(req.Context(), c, f, sent, b)
}

func readFrame(w http.ResponseWriter, req *http.Request) (*Frame, error) {
	bad := func(what string) error {
		return &problem{http.StatusBadRequest, "the frame has no " + what + " that can be read", 0}
	}
	f := &Frame{Stream: req.Header.Get(headerStream), Source: req.Header.Get(headerSource)}
	if f.Stream == "" || len(f.Stream) > 64 {
		return nil, bad(headerStream)
	}
	var err error
	if f.Sequence, err = strconv.ParseUint(req.Header.Get(headerSequence), 10, 62); err != nil || f.Sequence == 0 {
		return nil, bad(headerSequence)
	}
	previous, err := hex.DecodeString(req.Header.Get(headerPrevious))
	if err != nil || len(previous) != len(f.Previous) {
		return nil, bad(headerPrevious)
	}
	copy(f.Previous[:], previous)
	f.Body, err = io.ReadAll(http.MaxBytesReader(w, req.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("the frame has more than %d bytes", MaxBody), 0}
	case err != nil:
		return nil, bad("body")
	}
	return f, nil
}

// take commits a frame whose signature is right. Those of one source come one by one.
func (r *Receiver) take(ctx context.Context, c *chain, f *Frame, sent string, b collectors.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, sinkTime)
	defer cancel()
	if err := c.load(ctx, r.cfg.Position); err != nil {
		return &problem{http.StatusServiceUnavailable, "how far the source is can't be read right now", 5 * time.Second}
	}
	sum := f.Sum()
	next := place{f.Stream, f.Sequence, hex.EncodeToString(sum[:])}
	if c.at != nil && *c.at == next {
		return nil // the answer was lost
	}
	now := r.cfg.Now()
	lapses := c.lapses(f, sent, now)
	// Ours come first: the collector's are the ones that may be too many.
	b.Source, b.Lapses = c.source, append(lapses, b.Lapses...)
	if c.at != nil && c.at.Stream == next.Stream && c.at.Sequence >= next.Sequence {
		next = *c.at // what came again does not put the chain back, or the next one would seem to be missing some
	}
	var err error
	if b.Position, err = json.Marshal(next); err != nil {
		return err
	}
	err = r.sink.Accept(ctx, b)
	var later collectors.Later
	switch {
	case errors.As(err, &later):
		return &problem{http.StatusTooManyRequests, "the source brings more than it may", later.RetryAfter()}
	case err != nil:
		return &problem{http.StatusServiceUnavailable, "the frame can't be kept right now", 5 * time.Second}
	}
	c.at = &next
	for _, l := range lapses {
		c.told[l.Kind] = now
	}
	return nil
}

func (c *chain) load(ctx context.Context, position func(context.Context, string) ([]byte, error)) error {
	if c.known {
		return nil
	}
	raw, err := position(ctx, c.source)
	if err != nil {
		return err
	}
	if len(raw) > 0 {
		var at place
		// What is no position of ours is that of the way by which the source came before.
		if json.Unmarshal(raw, &at) == nil && at.Stream != "" && at.Sequence > 0 && len(at.Sum) == hex.EncodedLen(len(Sum{})) {
			c.at = &at
		}
	}
	c.known = true
	return nil
}

// lapses says what is wrong with a frame that comes after the last one.
func (c *chain) lapses(f *Frame, sent string, now time.Time) []vigil.Lapse {
	var out []vigil.Lapse
	say := func(kind vigil.LapseKind, missing int64, text string) {
		if last, told := c.told[kind]; told && now.Sub(last) < tellAgain && kind != vigil.LapseHole {
			return
		}
		out = append(out, vigil.Lapse{Source: c.source, Kind: kind, Start: now.UTC(), End: now.UTC(), Missing: missing, Text: text})
	}
	if seconds, err := strconv.ParseInt(sent, 10, 62); err == nil {
		if skew := now.Sub(time.Unix(seconds, 0)).Truncate(time.Second); skew.Abs() > maxSkew {
			say(vigil.LapseClock, 0, fmt.Sprintf("The collector's clock is %s away from this machine's: set both by NTP.", skew.Abs()))
		}
	}
	missing := func(n uint64) string {
		return fmt.Sprintf("%d batches that the collector numbered did not come: its spool was cut, or somebody takes them out on the way.", n)
	}
	switch {
	case c.at == nil:
		if f.Sequence > 1 {
			say(vigil.LapseHole, vigil.Unknown, missing(f.Sequence-1))
		}
	case c.at.Stream != f.Stream:
		say(vigil.LapseReset, vigil.Unknown, "The collector began a new spool: what the old one still held is lost unless that was sent. If nobody set it up anew, somebody else may hold its key.")
		if f.Sequence > 1 {
			say(vigil.LapseHole, vigil.Unknown, missing(f.Sequence-1))
		}
	case f.Sequence > c.at.Sequence+1:
		say(vigil.LapseHole, vigil.Unknown, missing(f.Sequence-c.at.Sequence-1))
	case f.Sequence == c.at.Sequence+1 && hex.EncodeToString(f.Previous[:]) != c.at.Sum:
		say(vigil.LapseForged, vigil.Unknown, "The collector's batches do not follow on what came before: two collectors use one key, its spool was put back from a backup, or batches were exchanged. Give each its own key.")
	case f.Sequence <= c.at.Sequence:
		say(vigil.LapseForged, vigil.Unknown, "Batches of the collector that had come already came again: they were replayed, or its spool was put back from a backup. Their events count once.")
	}
	return out
}
