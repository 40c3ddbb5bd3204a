package rest

import "time"

// mark is how far a list was read.
type mark struct {
	// Done is the time up to which all was read that was there by then; zero for never.
	Done time.Time `json:"done,omitzero"`
	// Final is the time up to which all was read again an overlap after its time.
	Final time.Time `json:"final,omitzero"`
	// From and To are the window that is read, To zero where it has no end; Asked is when
	// its first page was asked for.
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	Asked time.Time `json:"asked,omitzero"`
	// Next is the address of the window's next page.
	Next string `json:"next,omitempty"`
}

// position is what is kept of a puller, below 64 KiB.
type position struct {
	Lists map[string]*mark `json:"lists"`
	// Skewed says that it was told that the server's clock differs from ours.
	Skewed bool `json:"skewed,omitempty"`
	// Seen are records taken lately.
	Seen string `json:"seen,omitempty"`
}

// maxLists bounds the lists of a position.
const maxLists = 64

// sound says whether it is one that we wrote.
func (p *position) sound() bool { return p.Lists != nil && len(p.Lists) <= maxLists }
