// Package trouble logs what goes wrong when it changes: who asks again and again would else
// fill the log with the same line.
package trouble

import (
	"fmt"
	"log/slog"
	"sync"
)

// Log is the trouble of one part of the program. It is safe for concurrent use.
type Log struct {
	// Part is the part's name, which begins each line.
	Part   string
	Logger *slog.Logger

	mu   sync.Mutex
	last string // guarded by mu: what was last logged, empty when all is well
}

// Say logs an error, unless it is the one that was logged last.
func (l *Log) Say(what string, err error) {
	text := what + ": " + err.Error()
	l.mu.Lock()
	same := text == l.last
	l.last = text
	l.mu.Unlock()
	if !same {
		l.Logger.Error(l.Part+": a request failed", "what", what, "err", fmt.Sprintf("%q", err.Error()))
	}
}

// Over notes that all is well, and logs it after trouble.
func (l *Log) Over() {
	l.mu.Lock()
	was := l.last
	l.last = ""
	l.mu.Unlock()
	if was != "" {
		l.Logger.Info(l.Part + ": all works again")
	}
}
