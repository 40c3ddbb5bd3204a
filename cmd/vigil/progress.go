package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal, and nothing elsewhere. It is for one
// goroutine at a time; the reader's calls and the command's alternate.
type progress struct {
	bar  *progressbar.ProgressBar
	w    io.Writer
	what string
	// plain counts parts instead of bytes.
	plain bool
}

func newProgress(w io.Writer, what string) *progress {
	if !isTerminal(w) {
		return &progress{}
	}
	return &progress{w: w, what: what}
}

// set shows that done of total bytes are read.
func (p *progress) set(done, total int64) {
	if p.w == nil || total <= 0 {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowBytes(!p.plain),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true),
		)
	}
	// A bar that can't be drawn is no reason to stop.
	_ = p.bar.Set64(min(done, total))
}

// clear takes the bar off the screen, so that a line can be printed.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// done ends the bar.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
		p.w = nil
	}
}
