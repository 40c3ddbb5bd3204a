package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

// The defaults of PullerConfig.
const (
	DefaultPoll    = time.Minute
	DefaultOverlap = 10 * time.Minute
	DefaultStart   = 7 * 24 * time.Hour
)

const (
	// maxIdle bounds the pages of a window, one after another, in which nothing is new.
	maxIdle = 2000
	// maxPages bounds the pages of a window.
	maxPages = 200_000
	// maxAgain bounds how often a window is begun again since its cursor was refused.
	maxAgain = 3
	// skewTold is from which difference of clocks on it is told, skewOver below which it
	// is over.
	skewTold = time.Minute
	skewOver = 30 * time.Second
	// tellAgain is how long the same is not told again.
	tellAgain = time.Hour
	// keepEvery is how often the position is kept where nothing comes.
	keepEvery = 10 * time.Minute
)

// Feed is one list of an API.
//
// Most lists are read by windows of time: all pages of what is from one time to another.
// A window overlaps the one before, and once an Overlap has passed it is read again, so
// that what an API shows late is found. A list that follows gives a cursor behind its
// last record, from which what is new is read.
type Feed struct {
	// Name names the list in positions and origins: it must stay the same. Required.
	Name string
	// First is the address of the first page of what is from from to to, of size records
	// at most. to is zero in a list that follows. Required.
	First func(from, to time.Time, size int) string
	// Parse reads a page. Required.
	Parse func(c *Client, a *Answer) (Page, error)
	// Size is how many records a page has at most. Required.
	Size int
	// Follows says that the last page of a list gives a next one, too.
	Follows bool
	// Keeps is how long the product keeps records; zero means for ever.
	Keeps time.Duration
	// Span bounds a window; zero is no bound.
	Span time.Duration
}

// PullerConfig says how lists are read.
type PullerConfig struct {
	// Decode says how records are read, and the source's name.
	Decode decode.Config
	// Poll is how often it is asked for what is new; zero means a minute.
	Poll time.Duration
	// Overlap is how late the product may show a record; zero means ten minutes.
	Overlap time.Duration
	// Start is how far back the first reading goes; zero means seven days.
	Start time.Duration
}

// PullerOptions is what code passes.
type PullerOptions struct {
	// Client asks the API. Required.
	Client *Client
	// Feeds are the lists. At least one.
	Feeds []Feed
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Puller reads lists. It is a collectors.Collector.
type Puller struct {
	cfg  PullerConfig
	opts PullerOptions
}

// NewPuller makes one.
func NewPuller(cfg PullerConfig, opts PullerOptions) (*Puller, error) {
	if err := cfg.Decode.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", opts.Client.Product(), err)
	}
	if cfg.Poll < 0 || cfg.Overlap < 0 || cfg.Start < 0 {
		return nil, fmt.Errorf("%s: poll, overlap and start can't be negative", opts.Client.Product())
	}
	if len(opts.Feeds) == 0 || len(opts.Feeds) > maxLists {
		return nil, fmt.Errorf("%s: %d lists are to be read, of 1 to %d", opts.Client.Product(), len(opts.Feeds), maxLists)
	}
	if cfg.Poll == 0 {
		cfg.Poll = DefaultPoll
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = DefaultOverlap
	}
	if cfg.Start == 0 {
		cfg.Start = DefaultStart
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Puller{cfg: cfg, opts: opts}, nil
}

// Check asks for one record of each list and says what is missing.
func (p *Puller) Check(ctx context.Context) error {
	var errs []error
	for _, f := range p.opts.Feeds {
		now := p.opts.Client.Now().UTC().Truncate(time.Second)
		a, err := p.opts.Client.Get(ctx, f.First(now.Add(-time.Minute), now, 1))
		if err == nil {
			_, err = f.Parse(p.opts.Client, a)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name, err))
		}
	}
	return errors.Join(errs...)
}

// list is a feed that is read.
type list struct {
	Feed
	*mark
	stream *decode.Stream
	size   int
	due    time.Time
	err    error

	// Of the window that is read.
	visited map[uint64]struct{}
	pages   int
	idle    int
	again   int
}

// run is one run of a puller.
type run struct {
	*Puller
	sink  collectors.Sink
	pos   position
	seen  seen
	lists []*list
	told  map[string]time.Time
	kept  time.Time
}

// Run reads the lists in turn, page by page, until ctx ends. A list that fails does not
// keep the others from being read up to now; then Run returns its error.
func (p *Puller) Run(ctx context.Context, text []byte, sink collectors.Sink) error {
	pos := collectors.Position(p.cfg.Decode.Source, text, p.opts.Client.Logger(), (*position).sound)
	if pos == nil {
		pos = &position{}
	}
	defer p.opts.Client.Close()
	r := &run{Puller: p, sink: sink, pos: *pos, told: map[string]time.Time{}, kept: p.opts.Now()}
	r.seen.take(pos.Seen)
	marks := map[string]*mark{}
	for _, f := range p.opts.Feeds {
		m := pos.Lists[f.Name]
		if m == nil {
			m = &mark{}
		}
		marks[f.Name] = m
		r.lists = append(r.lists, &list{Feed: f, mark: m, stream: decode.NewStream(&p.cfg.Decode, f.Name), size: f.Size})
	}
	r.pos.Lists = marks
	for _, l := range r.lists {
		if err := r.absent(ctx, l); err != nil {
			return r.end(ctx, err)
		}
	}
	for ctx.Err() == nil {
		now := p.opts.Now()
		next := time.Time{}
		worked := false
		for _, l := range r.lists {
			switch {
			case l.err != nil || ctx.Err() != nil:
			case l.due.After(now):
				if next.IsZero() || l.due.Before(next) {
					next = l.due
				}
			default:
				worked = true
				if err := r.page(ctx, l); err != nil {
					var refused *sinkError
					if errors.As(err, &refused) {
						return r.end(ctx, refused.err)
					}
					l.err = fmt.Errorf("%s: %w", l.Name, err)
				}
			}
		}
		if worked {
			continue
		}
		var errs []error
		for _, l := range r.lists {
			if l.err != nil {
				errs = append(errs, l.err)
			}
		}
		if len(errs) > 0 {
			return r.end(ctx, errors.Join(errs...))
		}
		if wait(ctx, next.Sub(now)) != nil {
			return nil
		}
	}
	return nil
}

// end is how a run that failed ends: well, where it was cancelled.
func (r *run) end(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// absent tells what the product has thrown away while nobody read.
func (r *run) absent(ctx context.Context, l *list) error {
	now := r.opts.Now()
	oldest := now.Add(-l.Keeps)
	if l.Keeps <= 0 || l.Done.IsZero() || !l.Done.Before(oldest) {
		return nil
	}
	from := l.Done
	*l.mark = mark{Done: oldest, Final: oldest}
	return r.hand(ctx, &collectors.Batch{Lapses: []vigil.Lapse{{
		Kind: vigil.LapseDropped, Start: from, End: oldest, Missing: vigil.Unknown,
		Text: fmt.Sprintf("%s keeps its %s for %d days and was last read before that: what lies between is gone there. Nothing is to be done but to keep vigil running.",
			r.opts.Client.Product(), l.Name, int(l.Keeps.Hours()/24)),
	}}}, nil)
}

// page reads the next page of a list and hands it over.
func (r *run) page(ctx context.Context, l *list) error {
	c := r.opts.Client
	b := &collectors.Batch{}
	address := l.Next
	if address == "" {
		address = r.begin(l, b)
	}
	began := r.opts.Now()
	answer, err := c.Get(ctx, address)
	asked := c.Now().Add(-r.opts.Now().Sub(began)).UTC()
	switch {
	case err == nil:
	case errors.Is(err, ErrTooLarge) && l.size > 1:
		l.size = max(1, l.size/10)
		l.Next = ""
		return r.hand(ctx, b, nil)
	case l.Next != "" && RefusedCursor(err) && l.again < maxAgain:
		l.again++
		l.Next = ""
		clear(l.visited)
		r.tell(b, l, vigil.LapseReset, l.From, fmt.Sprintf("%s no longer knows the place in its %s at which reading went on; it is read again by time. Nothing is lost that it still has.", c.Product(), l.Name))
		return r.hand(ctx, b, nil)
	default:
		return err
	}
	page, err := l.Parse(c, answer)
	if err != nil {
		return err
	}
	r.clocks(b)
	if l.Asked.IsZero() {
		l.Asked = asked
	}
	received := r.opts.Now().UTC()
	var fresh []uint64
	taken := map[uint64]struct{}{}
	for _, record := range page.Records {
		h := hash(record)
		if _, twice := taken[h]; twice || r.seen.has(h) {
			continue
		}
		taken[h] = struct{}{}
		fresh = append(fresh, h)
		l.stream.Message(place(h), record, received, b)
	}
	if l.idle++; len(fresh) > 0 {
		l.idle = 0
	}
	l.pages++
	// Where the way to the next page can't be taken, this one's records are kept all the
	// same, and the position stays before it.
	stuck := r.turn(l, page, address, asked, b)
	if err := r.hand(ctx, b, fresh); err != nil {
		return err
	}
	return stuck
}

// begin opens a window and returns the address of its first page.
func (r *run) begin(l *list, b *collectors.Batch) string {
	now := r.opts.Client.Now().UTC()
	second := now.Truncate(time.Second)
	if l.Done.After(now.Add(skewTold)) {
		// Our position is ahead of the server: its clock, or ours, was put back.
		r.tell(b, l, vigil.LapseReset, now, fmt.Sprintf("%s's clock is behind what was read already; it is read again from an overlap before its time on.", r.opts.Client.Product()))
		l.Done, l.Final = second, second.Add(-r.cfg.Overlap)
	}
	if l.Final.IsZero() || l.Final.After(l.Done) {
		l.Final = l.Done.Add(-r.cfg.Overlap)
	}
	oldest := time.Time{}
	if l.Keeps > 0 {
		oldest = second.Add(-l.Keeps)
	}
	from := l.Done.Add(-min(r.cfg.Overlap, max(r.cfg.Poll, time.Second)))
	switch {
	case l.Done.IsZero():
		from = second.Add(-r.cfg.Start)
		l.Final = from
	case l.Follows:
		from = l.Done.Add(-r.cfg.Overlap)
	case now.Sub(l.Final) >= 2*r.cfg.Overlap && l.Final.Before(from):
		from = l.Final
	}
	if from.Before(oldest) {
		from = oldest
	}
	// Filters are of whole seconds; the second that goes on is read now and again later.
	from = from.UTC().Truncate(time.Second)
	to := second.Add(time.Second)
	if l.Span > 0 && from.Add(l.Span).Before(to) {
		to = from.Add(l.Span)
	}
	if l.Follows {
		to = time.Time{}
	}
	l.From, l.To, l.Asked = from, to, time.Time{}
	l.visited, l.pages, l.idle = map[uint64]struct{}{}, 0, 0
	return l.First(from, to, l.size)
}

// turn goes on behind a page that was asked for at address: to the next one, or to the
// end of the window.
func (r *run) turn(l *list, page Page, address string, asked time.Time, b *collectors.Batch) error {
	next := ""
	if page.Next != "" {
		u, err := r.opts.Client.Resolve(page.Next)
		if err != nil {
			return err
		}
		next = u.RequestURI()
	}
	if l.Follows && (len(page.Records) == 0 || next == "" || next == address) {
		// All is read that was there when this page was asked for. The cursor stands.
		// Records without a link behind them leave no place to go on at but the time.
		if next != "" || len(page.Records) > 0 {
			l.Next = next
		}
		l.Done = asked
		r.rest(l)
		return nil
	}
	if next == "" {
		r.close(l)
		return nil
	}
	if l.visited == nil {
		l.visited = map[uint64]struct{}{}
	}
	h := hash([]byte(next))
	_, again := l.visited[h]
	if again || next == address || l.idle >= maxIdle || l.pages >= maxPages {
		r.tell(b, l, vigil.LapseHole, l.From, fmt.Sprintf("%s gives the same pages of its %s again and again, or no end of them: some of that time may be missing. It is read on by time; tell its support.", r.opts.Client.Product(), l.Name))
		l.Next = ""
		r.close(l)
		return nil
	}
	l.visited[h] = struct{}{}
	l.Next = next
	return nil
}

// close ends a window: all of it was read.
func (r *run) close(l *list) {
	now := r.opts.Client.Now().UTC()
	asked := l.Asked
	if asked.IsZero() || asked.After(now) {
		asked = now
	}
	done := asked
	if !l.To.IsZero() && l.To.Before(done) {
		done = l.To
	}
	if final := asked.Add(-r.cfg.Overlap); !l.From.After(l.Final) {
		if done.Before(final) {
			final = done
		}
		if final.After(l.Final) {
			l.Final = final
		}
	}
	if done.After(l.Done) {
		l.Done = done
	}
	behind := !l.To.IsZero() && l.To.Before(asked)
	l.Next, l.again = "", 0
	l.From, l.To, l.Asked = time.Time{}, time.Time{}, time.Time{}
	if !behind {
		r.rest(l)
	}
}

// rest lets a list wait until it is polled again.
func (r *run) rest(l *list) {
	l.due = r.opts.Now().Add(r.cfg.Poll)
	l.visited, l.pages, l.idle, l.again = map[uint64]struct{}{}, 0, 0, 0
}

// clocks tells once that the server's clock and ours differ.
func (r *run) clocks(b *collectors.Batch) {
	skew, ok := r.opts.Client.Skew()
	switch {
	case !ok:
	case skew.Abs() > skewTold && !r.pos.Skewed:
		r.pos.Skewed = true
		now := r.opts.Now().UTC()
		b.Lapses = append(b.Lapses, vigil.Lapse{
			Kind: vigil.LapseClock, Start: now, End: now, Missing: vigil.Unknown,
			Text: fmt.Sprintf("The clocks of %s and of this machine differ by %s. Windows follow the server's; set this machine's by NTP.", r.opts.Client.Product(), skew.Abs().Round(time.Second)),
		})
	case skew.Abs() < skewOver:
		r.pos.Skewed = false
	}
}

// tell adds a lapse of a list, unless the same was told lately.
func (r *run) tell(b *collectors.Batch, l *list, kind vigil.LapseKind, from time.Time, text string) {
	now := r.opts.Now().UTC()
	key := l.Name + "/" + string(kind)
	if last, ok := r.told[key]; ok && now.Sub(last) < tellAgain {
		return
	}
	r.told[key] = now
	if from.IsZero() || from.After(now) {
		from = now
	}
	b.Lapses = append(b.Lapses, vigil.Lapse{Kind: kind, Start: from, End: now, Missing: vigil.Unknown, Text: text})
}

// sinkError is a sink's, which ends a run at once.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }

// hand gives a batch to the sink, with the position behind it and what is remembered from
// then on.
func (r *run) hand(ctx context.Context, b *collectors.Batch, fresh []uint64) error {
	now := r.opts.Now()
	if b.Len() == 0 && len(fresh) == 0 && now.Sub(r.kept) < keepEvery {
		return nil
	}
	b.Source = r.cfg.Decode.Source
	for i := range b.Lapses {
		b.Lapses[i].Source = b.Source
	}
	r.pos.Seen = r.seen.text(fresh)
	var err error
	if b.Position, err = json.Marshal(r.pos); err != nil {
		return &sinkError{fmt.Errorf("write the position: %w", err)}
	}
	if err := r.sink.Accept(ctx, *b); err != nil {
		return &sinkError{fmt.Errorf("hand over %d records: %w", len(fresh), err)}
	}
	for _, h := range fresh {
		r.seen.add(h)
	}
	r.kept = now
	return nil
}
