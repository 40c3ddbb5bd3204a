package identity

import (
	"sync"
	"time"
)

const (
	// perAccount bounds the tries of one account's password within guessWindow by
	// strangers, and apart from them by who signed in to it before from the same address.
	perAccount = 10
	// perAddress bounds those of one address. Many people may stand behind one.
	perAddress  = 100
	guessWindow = time.Minute
	// maxGuessed bounds the keys that are remembered. When that many were tried within
	// one window, further ones wait for it to pass.
	maxGuessed = 100_000
)

// guesses counts tries by key. It is safe for concurrent use.
type guesses struct {
	most int

	mu    sync.Mutex
	tries map[string][]time.Time // guarded by mu: those of the last window, in order
}

func newGuesses(most int) *guesses { return &guesses{most: most, tries: map[string][]time.Time{}} }

// try counts one more, and reports false when there were too many: then it does not
// count.
func (g *guesses) try(key string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.tries) >= maxGuessed {
		for k, all := range g.tries {
			if now.Sub(all[len(all)-1]) >= guessWindow {
				delete(g.tries, k)
			}
		}
	}
	all := g.tries[key]
	for len(all) > 0 && now.Sub(all[0]) >= guessWindow {
		all = all[1:]
	}
	if len(all) >= g.most || len(all) == 0 && len(g.tries) >= maxGuessed {
		return false
	}
	g.tries[key] = append(all, now)
	return true
}

// right takes back a try that was none: the password was right.
func (g *guesses) right(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if all := g.tries[key]; len(all) > 1 {
		g.tries[key] = all[:len(all)-1]
		return
	}
	delete(g.tries, key)
}

const (
	// talliedAtMost bounds the failures that get a record of their own in a tallyWindow;
	// the others are counted into the next record.
	talliedAtMost = 30
	tallyWindow   = time.Minute
)

// tally decides which failures are written down each for itself. It is safe for
// concurrent use.
type tally struct {
	mu     sync.Mutex
	begun  time.Time       // guarded by mu, as all below
	told   map[string]bool // accounts with a record in this window
	silent int             // failures since the last record
}

// failed counts one failure, and reports whether it is to be written down, and how many
// that were not come with it.
func (t *tally) failed(by string, now time.Time) (write bool, more int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.begun) >= tallyWindow || t.told == nil {
		t.begun, t.told = now, map[string]bool{}
	}
	if t.told[by] || len(t.told) >= talliedAtMost {
		t.silent++
		return false, 0
	}
	t.told[by] = true
	more, t.silent = t.silent, 0
	return true, more
}

// rest takes what was counted and not written down.
func (t *tally) rest() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.silent
	t.silent = 0
	return n
}
