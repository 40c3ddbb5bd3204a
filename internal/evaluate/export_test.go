package evaluate

import (
	"context"
	"fmt"
)

// What the tests reach for.
var (
	WriteEdges = writeEdges
	ReadLogins = readLogins
	WindowsOf  = windowsOf
)

// NewPeer is a peer that is run by a command line; without one it is not installed.
func NewPeer(command ...string) Peer {
	return Peer{Name: "a peer", prepare: func(context.Context, string, string) ([]string, error) {
		if len(command) == 0 {
			return nil, fmt.Errorf("%w: nowhere", ErrNotInstalled)
		}
		return command, nil
	}}
}
