package alerts

import (
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
)

// State is what a limiter must know after a restart.
type State struct {
	// Buckets are named for a notifier and the severities that they are for: "slack/mild".
	Buckets map[string]Bucket `json:"buckets,omitempty"`
}

// Bucket holds how many new cases a notifier may still be told of.
type Bucket struct {
	// Tokens is how many, At as of when.
	Tokens float64   `json:"tokens"`
	At     time.Time `json:"at"`
	// Flood is what is going on once it ran empty, nil otherwise.
	Flood *Flood `json:"flood,omitempty"`
}

// limiter is a token bucket for each notifier and grade of severity. One that runs empty
// begins a flood: cases of that grade are counted in one notice until they come more
// slowly than the bucket fills.
type limiter struct {
	cfg     Limits
	link    string
	buckets map[string]Bucket
}

// newLimiter goes on from a state; what it knows of other notifiers is left out.
func newLimiter(cfg Limits, notifiers []string, s State, link string) limiter {
	l := limiter{cfg: cfg, link: link, buckets: s.clone().Buckets}
	maps.DeleteFunc(l.buckets, func(key string, _ Bucket) bool {
		return !slices.Contains(notifiers, key[:max(0, strings.LastIndexByte(key, '/'))])
	})
	return l
}

func (s State) clone() State {
	c := State{Buckets: map[string]Bucket{}}
	for k, b := range s.Buckets {
		b.Flood = b.Flood.clone()
		c.Buckets[k] = b
	}
	return c
}

func (l *limiter) state() State { return State{l.buckets}.clone() }

// The grades that have buckets of their own.
const (
	gradeMild = "mild"
	gradeHigh = "high"
)

// grade is a severity's, empty for critical: those are never held.
func grade(s vigil.Severity) string {
	switch s {
	case vigil.SeverityCritical:
		return ""
	case vigil.SeverityHigh:
		return gradeHigh
	}
	return gradeMild
}

func (l *limiter) size(grade string) int {
	if grade == gradeHigh {
		return l.cfg.High
	}
	return l.cfg.Mild
}

// take asks whether a notifier may be told of a case now, and returns what is to be said
// of a flood.
func (l *limiter) take(notifier string, c *vigil.Case, lead *vigil.Finding, t *Told, now time.Time) (ok bool, notices []FloodNotice) {
	g := grade(c.Severity)
	if g == "" {
		return true, nil
	}
	key, size := notifier+"/"+g, l.size(g)
	b, known := l.buckets[key]
	if !known {
		b = Bucket{Tokens: float64(size), At: now}
	}
	defer func() { l.buckets[key] = b }()
	b.fill(size, l.cfg.Period, now)
	if b.Flood != nil && b.Flood.ebbs(size, l.cfg.Period, now) {
		notices = append(notices, b.Flood.over(now, l.link))
		b.Flood = nil
	}
	if b.Flood == nil {
		if b.Tokens >= 1 {
			b.Tokens--
			return true, notices
		}
		b.Flood = newFlood(notifier, g, now)
	}
	if !slices.Contains(t.Floods, b.Flood.ID) {
		t.Floods = append(t.Floods, b.Flood.ID)
		b.Flood.count(c, lead)
	}
	return false, append(notices, b.Flood.say(now, l.link)...)
}

// fill adds what came since the bucket was looked at last. Of a clock that was set back it
// knows no past.
func (b *Bucket) fill(size int, period time.Duration, now time.Time) {
	if b.At.After(now) {
		b.At = now
	}
	if past := now.Sub(b.At); past > 0 {
		b.Tokens = min(float64(size), b.Tokens+float64(size)*float64(past)/float64(period))
		b.At = now
	}
}

// tick returns what is to be said of floods now.
func (l *limiter) tick(now time.Time) (notices []FloodNotice) {
	for _, key := range slices.Sorted(maps.Keys(l.buckets)) {
		b := l.buckets[key]
		if b.Flood == nil {
			continue
		}
		g := key[strings.LastIndexByte(key, '/')+1:]
		if b.Flood.ebbs(l.size(g), l.cfg.Period, now) {
			notices = append(notices, b.Flood.over(now, l.link))
			b.Flood = nil
			l.buckets[key] = b
			continue
		}
		notices = append(notices, b.Flood.say(now, l.link)...)
	}
	return notices
}
