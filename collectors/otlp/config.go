package otlp

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
)

// The defaults of Config.
const (
	defaultMaxBody     = 16 << 20
	defaultMaxUnpacked = 64 << 20
	defaultMaxRequests = 8
	defaultTimeout     = 30 * time.Second
)

// Source is one source that sends by OTLP.
type Source struct {
	// Token is the bearer token by which it is known. Required, its own.
	Token string
	// Decode says how the bodies of its log records are read; its Source is the name that
	// is stamped on all that comes. With no Format, a record is what it says by itself: an
	// access of a bot, or a line of a log of a known format in its body. Its Formats must
	// have otel-genai, which reads spans.
	Decode decode.Config
	// Revision tells one configuration of the source from another: at an Update a source
	// of the same name and revision goes on with what it knows. Empty is never the same.
	Revision string
}

// Config says who may send and how much.
type Config struct {
	// Sources are those that may send. With none nobody is let in.
	Sources []Source
	// MaxBody bounds a request as sent, and a gRPC message also unpacked, in bytes; zero
	// means 16 MiB.
	MaxBody int
	// MaxUnpacked bounds a request by HTTP unpacked, in bytes; zero means 64 MiB.
	MaxUnpacked int
	// MaxRequests bounds the requests of one source that are held in memory at once; zero
	// means 8. Eight times as many may wait for their turn.
	MaxRequests int
	// Timeout bounds how long a request waits for its turn, and how long the sink may take
	// for one batch; zero means 30 s.
	Timeout time.Duration
}

// Options is what code passes.
type Options struct {
	// TLS is how ServeGRPC shows who it is; nil serves in the clear.
	TLS *tls.Config
	// Logger hears of a sink that takes nothing; nil means none.
	Logger *slog.Logger
	// Now tells the time of arrival; nil means the clock.
	Now func() time.Time
}

// spanFormat is the format that says what spans and records of bots mean.
const spanFormat = "otel-genai"

// New makes a receiver that hands what it takes to sink.
func New(cfg Config, sink collectors.Sink, opts Options) (*Receiver, error) {
	if sink == nil {
		return nil, errors.New("otlp: there is no sink")
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
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	r := &Receiver{cfg: cfg, opts: opts, sink: sink, binary: binary{newSchema()}}
	if err := r.Update(cfg.Sources); err != nil {
		return nil, err
	}
	return r, nil
}

// Update lets other sources in, in place of those that were. Requests that are being
// taken end as they began.
func (r *Receiver) Update(sources []Source) error {
	old := map[string]*source{}
	if all := r.sources.Load(); all != nil {
		for _, s := range *all {
			old[s.name] = s
		}
	}
	var next []*source
	names, tokens := map[string]bool{}, map[string]string{}
	for i := range sources {
		c := &sources[i]
		s := old[c.Decode.Source]
		if s == nil || c.Revision == "" || s.revision != c.Revision {
			var err error
			if s, err = newSource(&r.cfg, c); err != nil {
				return fmt.Errorf("otlp: %w", err)
			}
		}
		switch other := tokens[c.Token]; {
		case names[s.name]:
			return fmt.Errorf("otlp: two sources are called %q", s.name)
		case other != "":
			return fmt.Errorf("otlp: sources %q and %q have the same token: give each its own", min(other, s.name), max(other, s.name))
		}
		names[s.name], tokens[c.Token] = true, s.name
		next = append(next, s)
	}
	slices.SortFunc(next, func(a, b *source) int { return strings.Compare(a.name, b.name) })
	r.sources.Store(&next)
	return nil
}

func newSource(cfg *Config, c *Source) (*source, error) {
	if err := c.Decode.Check(); err != nil {
		return nil, fmt.Errorf("source %q: %w", c.Decode.Source, err)
	}
	name := c.Decode.Source
	if c.Token == "" {
		return nil, fmt.Errorf("the token of source %q is empty", name)
	}
	format, err := formats.ByName(c.Decode.Formats, spanFormat)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", name, err)
	}
	s := &source{
		name: name, revision: c.Revision, digest: sha256.Sum256([]byte(c.Token)), slots: make(chan struct{}, cfg.MaxRequests),
		waiting: make(chan struct{}, 8*cfg.MaxRequests), turn: make(chan struct{}, 1),
		records: c.Decode, bodies: c.Decode, format: format,
	}
	s.records.Format = spanFormat
	if err := s.records.Check(); err != nil {
		return nil, fmt.Errorf("source %q: %w", name, err)
	}
	if c.Decode.Format == "" {
		s.bodies.Formats = slices.DeleteFunc(slices.Clone(c.Decode.Formats), func(f formats.Format) bool { return f.Name() == spanFormat })
	}
	s.forget()
	return s, nil
}
