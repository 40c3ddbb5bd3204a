package syslog

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

const (
	// maxSequence is the last number before they begin anew (RFC 5424 section 7.3.1).
	maxSequence = 1<<31 - 1
	// maxHosts and maxApps bound the originators whose numbers and clocks are followed,
	// and the programs of one of them.
	maxHosts = 1024
	maxApps  = 64
	// maxGaps bounds the holes of one originator that may yet be filled by what is late.
	maxGaps = 64
	// settle is how long what is late may take to fill a hole.
	settle = 5 * time.Second
	// restarted is how far numbers must go back to be those of an originator that began
	// anew; less is what was sent again or came late.
	restarted = 10_000
	// jump is how far a clock must be off to be told.
	jump = 24 * time.Hour
	// again is how long the same thing is only added up before it is told once more.
	again = time.Minute
)

// watch follows the numbers and clocks of originators, which may come over several
// connections, and keeps what is to be told until the next batch. At most maxHosts
// originators are followed; the one heard of least recently makes room. It is safe for
// concurrent use.
type watch struct {
	source string

	mu      sync.Mutex // guards all below
	hosts   *formats.Bounded[hostKey, *host]
	pending map[lapseKey]*vigil.Lapse
	told    *formats.Bounded[lapseKey, time.Time]
}

type hostKey struct{ sender, host string }

// lapseKey is what is added up to one lapse.
type lapseKey struct {
	kind   vigil.LapseKind
	sender string
	what   string
}

// host is one originator.
type host struct {
	// last is the number that came last, of any of its programs; apps that of each. Some
	// count for all of their programs, some for each: a number that goes on from either is
	// in order.
	last int64
	apps map[string]int64
	gaps []gap
	// at is the latest time it gave, ahead whether that lay in the future.
	at    time.Time
	ahead bool
}

// gap are numbers that have not come.
type gap struct {
	from, to int64
	seen     time.Time
}

func newWatch(source string) *watch {
	return &watch{
		source: source, hosts: formats.NewBounded[hostKey, *host](maxHosts),
		pending: map[lapseKey]*vigil.Lapse{}, told: formats.NewBounded[lapseKey, time.Time](maxHosts),
	}
}

// message notes what a message's head tells.
func (w *watch) message(sender string, h *header, now time.Time) {
	if h.at.IsZero() && h.sequence == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := hostKey{sender, string(h.host[:min(len(h.host), 64)])}
	o, ok := w.hosts.Get(key)
	if !ok {
		o = &host{}
		w.hosts.Put(key, o)
	}
	if !h.at.IsZero() {
		w.clock(key, o, h.at, now)
	}
	if h.sequence > 0 {
		o.number(string(h.app[:min(len(h.app), 64)]), h.sequence, now)
		w.holes(key, o, now.Add(-settle))
	}
}

// clock tells of a clock that is ahead of ours, and of one that went back. One that is
// behind is not told: messages that waited for us are old.
func (w *watch) clock(key hostKey, o *host, at, now time.Time) {
	ahead := at.Sub(now) > jump
	what := ""
	switch {
	case ahead && !o.ahead:
		what = "was set more than a day ahead"
	case !o.at.IsZero() && o.at.Sub(at) > jump:
		what = "went back by more than a day"
	}
	if what != "" {
		w.add(lapseKey{vigil.LapseClock, key.sender, key.host + " " + what}, vigil.Lapse{
			Kind: vigil.LapseClock, Start: now, End: now, Missing: vigil.Unknown,
			Text: fmt.Sprintf("The clock of %q, which sends from %s, %s. Set it right and keep it so with NTP: records with wrong times are judged in the wrong order.", key.host, key.sender, what),
		})
	}
	if what != "" || at.After(o.at) {
		o.at, o.ahead = at, ahead
	}
}

// number notes the number of a message.
func (o *host) number(app string, n int64, now time.Time) {
	if o.apps == nil {
		o.apps = map[string]int64{}
	}
	last, known := o.apps[app]
	if !known && len(o.apps) >= maxApps {
		clear(o.apps) // they are learnt again
	}
	if o.fill(n) {
		o.apps[app] = max(last, n)
		return
	}
	switch {
	case o.last == 0, n == after(o.last), !known, n == after(last):
	case n <= last && last-n < restarted && n != 1:
		return // sent again
	case n <= last:
		o.gaps = nil // it began anew
	default:
		base := last
		if o.last < n {
			base = max(base, o.last) // the nearer of the two is the one it counts by
		}
		if len(o.gaps) == maxGaps {
			// The oldest two are told as one.
			o.gaps[1].from = o.gaps[0].from
			o.gaps = o.gaps[:copy(o.gaps, o.gaps[1:])]
		}
		o.gaps = append(o.gaps, gap{base + 1, n - 1, now})
	}
	o.last, o.apps[app] = n, n
}

// after is the number that follows n.
func after(n int64) int64 { return n%maxSequence + 1 }

// fill takes a number that came late out of its hole.
func (o *host) fill(n int64) bool {
	for i := range o.gaps {
		g := o.gaps[i]
		if n < g.from || n > g.to {
			continue
		}
		var parts []gap
		if n > g.from {
			parts = append(parts, gap{g.from, n - 1, g.seen})
		}
		if n < g.to {
			parts = append(parts, gap{n + 1, g.to, g.seen})
		}
		if len(o.gaps)-1+len(parts) > maxGaps {
			return true // it stays counted as missing: that is the safe side
		}
		o.gaps = slices.Replace(o.gaps, i, i+1, parts...)
		return true
	}
	return false
}

// holes tells of those that were seen before a time and not filled since.
func (w *watch) holes(key hostKey, o *host, before time.Time) {
	missing, start, n := int64(0), time.Time{}, 0
	for ; n < len(o.gaps) && !o.gaps[n].seen.After(before); n++ {
		missing += o.gaps[n].to - o.gaps[n].from + 1
		if start.IsZero() {
			start = o.gaps[n].seen
		}
	}
	if n == 0 {
		return
	}
	o.gaps = o.gaps[:copy(o.gaps, o.gaps[n:])]
	w.add(lapseKey{vigil.LapseHole, key.sender, key.host}, vigil.Lapse{
		Kind: vigil.LapseHole, Start: start, End: before.Add(settle), Missing: missing,
		Text: fmt.Sprintf("Numbers (sequenceId) of the messages of %q, which sends from %s, are missing: messages were lost on the way or taken out. Send over RELP, and look at the queues of the sender.", key.host, key.sender),
	})
}

// numbers tells of frames that are missing on a RELP connection.
func (w *watch) numbers(sender string, missing int64, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(lapseKey{vigil.LapseHole, sender, "relp"}, vigil.Lapse{
		Kind: vigil.LapseHole, Start: now, End: now, Missing: missing,
		Text: fmt.Sprintf("Frames of the RELP connection from %s are missing in their numbering: the sender or something between took them out.", sender),
	})
}

// dropped tells of datagrams that the kernel threw away.
func (w *watch) dropped(missing int64, since, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(lapseKey{vigil.LapseDropped, "", ""}, vigil.Lapse{
		Kind: vigil.LapseDropped, Start: since, End: now, Missing: missing,
		Text: "The kernel threw datagrams away because they came faster than they could be kept. Raise net.core.rmem_max, send less, or send over RELP.",
	})
}

// add puts a lapse with those to be told.
func (w *watch) add(key lapseKey, l vigil.Lapse) {
	old, ok := w.pending[key]
	if !ok {
		if len(w.pending) >= maxHosts {
			return // each will come again, or was one of too many to look at
		}
		l.Source = w.source
		w.pending[key] = &l
		return
	}
	old.End = l.End
	if l.Missing > 0 && old.Missing >= 0 {
		old.Missing += l.Missing
	}
}

// due takes out what is to be told now: each thing at once, and then once a minute. all
// takes the rest too, holes that might yet be filled among it.
func (w *watch) due(now time.Time, all bool) (out []vigil.Lapse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := now.Add(-settle)
	if all {
		before = now
	}
	for key, o := range w.hosts.All() {
		if len(o.gaps) > 0 {
			w.holes(key, o, before)
		}
	}
	for key, l := range w.pending {
		last, ok := w.told.Get(key)
		if ok && now.Sub(last) < again && !all {
			continue
		}
		w.told.Put(key, now)
		delete(w.pending, key)
		out = append(out, *l)
	}
	return out
}

// sequences are the numbers that came last, by sender and host, as a position keeps them.
func (w *watch) sequences() []saidLast {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []saidLast
	for key, o := range w.hosts.All() {
		if o.last > 0 {
			out = append(out, saidLast{key.sender, key.host, o.last, o.apps})
		}
	}
	return out[max(0, len(out)-maxKept):]
}

// goOn takes them back.
func (w *watch) goOn(list []saidLast) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range list {
		if s.Last > 0 && s.Last <= maxSequence {
			w.hosts.Put(hostKey{s.Sender, s.Host}, &host{last: s.Last, apps: s.Apps})
		}
	}
}
