package feeds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/privacy"
)

// Feed is one configured feed.
type Feed struct {
	Spec
	// Files are globs of the files that together are the feed; none where it is pushed.
	Files []string
	// StaleAfter is how long it may say nothing new; zero learns it.
	StaleAfter time.Duration
	// MayShrink lets it lose more than half of its records at once.
	MayShrink bool
	// Optional says that its files may be missing: then it tells nothing new, and may
	// be silent for as long as it likes.
	Optional bool
}

// Options is what code passes to NewService.
type Options struct {
	// Known lists what the log has told of a kind, once all of it is judged that was
	// there at the start. It may wait.
	Known func(ctx context.Context, kind vigil.FactKind) ([]vigil.Facts, error)
	// Accept makes a change durable in the log.
	Accept func(ctx context.Context, f vigil.Facts) error
	// Pseudonyms hides people.
	Pseudonyms *privacy.Pseudonymizer
	Logger     *slog.Logger
	Now        func() time.Time
}

// Status is how a feed stands.
type Status struct {
	Name string         `json:"name"`
	Kind vigil.FactKind `json:"kind"`
	// Records is how many are known, Aside how many of the last text were set aside.
	Records int `json:"records"`
	Aside   int `json:"set_aside"`
	// Told is when the feed last gave a text, zero for never.
	Told time.Time `json:"told,omitzero"`
	// Trouble says what is wrong now: the text was refused, can't be read, or nothing
	// has come for longer than usual. Empty when all is well.
	Trouble string `json:"trouble,omitempty"`
}

// Service keeps the log up to date with what feeds tell. It is safe for concurrent
// use; one text is taken at a time.
type Service struct {
	opts Options

	mu    sync.Mutex // guards all below
	feeds []*state
	ready bool
	known map[string]bool // people in some directory, by pseudonym
}

// state is a feed as it stands.
type state struct {
	Feed
	base   Base
	empty  bool // told that there is nothing
	stamps string
	digest uint64
	status Status
	// gaps are the latest times between two texts, for the rhythm.
	gaps   []time.Duration
	stale  bool
	failed string
	logged string
}

// The bounds of what is read and remembered.
const (
	maxFiles = 1_000
	// rhythmGaps is how many gaps the rhythm is learnt from, rhythmFactor how many
	// times the longest of them may pass in silence.
	rhythmGaps   = 8
	rhythmFactor = 4
	// shrinkFrom is from how many records on losing half of them is refused.
	shrinkFrom = 10
)

// NewService makes a service that has read nothing.
func NewService(feeds []Feed, opts Options) *Service {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{opts: opts, known: map[string]bool{}}
	for _, f := range feeds {
		s.feeds = append(s.feeds, &state{Feed: f, status: Status{Name: f.Name, Kind: f.Kind}})
	}
	return s
}

// ErrNotReady says that what the log tells already is not known yet.
var ErrNotReady = errors.New("the log is still being judged")

// prepare takes what the log has told as what is known, once. What feeds told that are
// configured no more is forgotten. It needs mu.
func (s *Service) prepare(ctx context.Context) error {
	if s.ready {
		return nil
	}
	for _, kind := range vigil.FactKinds() {
		facts, err := s.opts.Known(ctx, kind)
		if err != nil {
			return fmt.Errorf("ask for what is known of %s: %w", kind, err)
		}
		for i := range facts {
			at := slices.IndexFunc(s.feeds, func(f *state) bool { return f.Name == facts[i].Feed && f.Kind == kind })
			if at < 0 {
				if err := s.opts.Accept(ctx, vigil.Facts{Feed: facts[i].Feed, Kind: kind, Whole: true}); err != nil {
					return fmt.Errorf("forget feed %q: %w", facts[i].Feed, err)
				}
				continue
			}
			f := s.feeds[at]
			if f.base == nil {
				f.base = Base{}
			}
			if err := f.base.apply(&facts[i]); err != nil {
				return err
			}
			f.status.Records = len(f.base)
			s.people(&facts[i])
		}
	}
	s.ready = true
	return nil
}

// people notes who is in the directory.
func (s *Service) people(f *vigil.Facts) {
	for i := range f.People {
		s.known[f.People[i].Actor] = true
	}
}

// Poll reads the files that changed. A feed that can't be read is told of once, and
// does not keep the others from being read; the error is that of the log.
func (s *Service) Poll(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	now := s.opts.Now()
	for _, f := range s.feeds {
		if len(f.Files) > 0 {
			if err := s.poll(ctx, f); err != nil {
				return err
			}
		}
		f.rhythm(now)
		s.say(f)
	}
	return nil
}

// poll reads a feed's files where one of them changed.
func (s *Service) poll(ctx context.Context, f *state) error {
	paths, stamps, latest, err := list(f.Files)
	if errors.Is(err, errNoFile) && f.Optional {
		f.failed = ""
		return nil
	}
	if err != nil {
		f.failed = err.Error()
		return nil
	}
	if stamps == f.stamps {
		return nil
	}
	reading, digest, err := readFiles(f.Spec, paths)
	if err != nil {
		f.failed, f.stamps = s.hidden(err), stamps
		return nil
	}
	f.heard(latest)
	if digest == f.digest && f.failed == "" {
		f.stamps = stamps
		return nil
	}
	if _, err := s.take(ctx, f, reading, false); err != nil {
		var refused *RefusedError
		if !errors.As(err, &refused) {
			return err
		}
	}
	f.stamps, f.digest = stamps, digest
	return nil
}

// hidden is an error for the log: what it quotes may name a person.
func (s *Service) hidden(err error) string {
	q := vigil.Quarantined{Reason: err.Error()}
	s.opts.Pseudonyms.Quarantined(&q)
	return q.Reason
}

// Taken tells what became of a text.
type Taken struct {
	Records, Aside, Changed, Removed int
	Problems                         []Problem
}

// take hides who a reading names, and tells the log what changed. With partial set the
// text only adds and replaces. It needs mu.
func (s *Service) take(ctx context.Context, f *state, r *Reading, partial bool) (Taken, error) {
	out := Taken{Records: r.Records, Aside: r.Aside, Problems: r.Problems}
	f.status.Aside = r.Aside
	if err := f.shrunk(r, partial); err != nil {
		f.failed = err.Error()
		return out, err
	}
	s.opts.Pseudonyms.Facts(&r.Facts, f.Tenant)
	pieces, err := Diff(f.base, &r.Facts, partial)
	if err != nil {
		return out, err
	}
	if len(pieces) == 0 && len(f.base) == 0 && !f.empty {
		pieces = []vigil.Facts{{Feed: f.Name, Kind: f.Kind}} // there is such a feed
	}
	if f.base == nil {
		f.base = Base{}
	}
	for i := range pieces {
		if err := s.opts.Accept(ctx, pieces[i]); err != nil {
			f.digest, f.stamps = 0, ""
			return out, fmt.Errorf("tell the log of feed %q: %w", f.Name, err)
		}
		if err := f.base.apply(&pieces[i]); err != nil {
			return out, err
		}
		out.Removed += len(pieces[i].Removed)
		out.Changed += len(records(&pieces[i]))
	}
	f.empty = len(f.base) == 0
	f.failed = ""
	f.status.Records = len(f.base)
	s.people(&r.Facts)
	s.log(f, r, out)
	return out, nil
}

// log tells what a text brought.
func (s *Service) log(f *state, r *Reading, t Taken) {
	if t.Changed+t.Removed > 0 || t.Aside > 0 {
		s.opts.Logger.Info("a feed was read", "feed", f.Name, "records", f.status.Records, "changed", t.Changed, "removed", t.Removed, "set_aside", t.Aside)
	}
	if n := Strangers(&r.Facts, s.known); n > 0 {
		s.opts.Logger.Warn("a feed names people whom the directory does not know", "feed", f.Name, "records", n)
	}
	for i, p := range r.Problems {
		if i == 5 {
			s.opts.Logger.Warn("more of the feed's records have problems; vigil check lists them", "feed", f.Name, "problems", len(r.Problems))
			break
		}
		s.opts.Logger.Warn("a problem in a feed", "feed", f.Name, "problem", s.hidden(errors.New(p.String())))
	}
}

// Strangers counts records that name an actor who is not among those whom directories
// know; none where they know nobody.
func Strangers(f *vigil.Facts, known map[string]bool) (n int) {
	if len(known) == 0 || f.Kind == vigil.FactPerson {
		return 0
	}
	for _, r := range records(f) {
		if a := actorOf(r); a != "" && !known[a] {
			n++
		}
	}
	return n
}

// actorOf is the actor whom a record names, empty for none.
func actorOf(r record) string {
	switch r := r.(type) {
	case *vigil.Assignment:
		return r.Actor
	case *vigil.Shift:
		return r.Actor
	case *vigil.Change:
		return r.Actor
	case *vigil.Purpose:
		return r.Actor
	case *vigil.Person:
		return r.Manager
	}
	return ""
}

// say brings the feed's trouble up to date, and logs it when it changes.
func (s *Service) say(f *state) {
	switch {
	case f.failed != "":
		f.status.Trouble = f.failed
	case f.stale:
		f.status.Trouble = "nothing new since " + f.status.Told.Format("2 January 15:04 UTC") + ", longer than usual"
	default:
		f.status.Trouble = ""
	}
	if f.status.Trouble == f.logged {
		return
	}
	f.logged = f.status.Trouble
	if f.logged == "" {
		s.opts.Logger.Info("a feed is well again", "feed", f.Name)
		return
	}
	s.opts.Logger.Error("a feed is in trouble; what was known before still counts", "feed", f.Name, "trouble", f.logged)
}

// Push takes a text that was sent for a feed: all of it, or with partial set what is to
// be added or replaced. The error is an *Error or a *RefusedError where the text is at
// fault.
func (s *Service) Push(ctx context.Context, name, contentType string, text []byte, partial bool) (Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.feeds, func(f *state) bool { return f.Name == name })
	if at < 0 {
		return Taken{}, fmt.Errorf("there is no feed %q", name)
	}
	f := s.feeds[at]
	if err := s.prepare(ctx); err != nil {
		return Taken{}, err
	}
	r, err := Read(f.Spec, "push"+extension(contentType), text)
	if err != nil {
		f.failed = s.hidden(err)
		s.say(f)
		return Taken{}, err
	}
	t, err := s.take(ctx, f, r, partial)
	if err == nil {
		f.heard(s.opts.Now())
	}
	s.say(f)
	return t, err
}

// extension is the file ending of a content type, empty for one that says nothing.
func extension(contentType string) string {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch strings.TrimSpace(kind) {
	case "text/csv":
		return ".csv"
	case "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl":
		return ".json"
	case "application/yaml", "application/x-yaml", "text/yaml":
		return ".yaml"
	}
	return ""
}

// Statuses lists how the feeds stand, in the order of the configuration.
func (s *Service) Statuses() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Status, len(s.feeds))
	for i, f := range s.feeds {
		out[i] = f.status
	}
	return out
}
