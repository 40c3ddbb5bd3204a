package otlp

import (
	"net"
	"sync"
)

// maxConnections bounds the connections by gRPC, at most one of which most senders have.
// More are closed as they come.
const maxConnections = 2048

// connections is a listener that knows what it has accepted.
type connections struct {
	net.Listener

	mu   sync.Mutex // guards all below
	open map[*connection]struct{}
}

// connection is one that its listener knows until it is closed.
type connection struct {
	net.Conn
	of *connections
}

// Accept returns the next connection for which there is room.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		own := &connection{conn, c}
		if c.add(own) {
			return own, nil
		}
		_ = conn.Close()
	}
}

func (c *connections) add(one *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= maxConnections {
		return false
	}
	c.open[one] = struct{}{}
	return true
}

// cut closes all that is open.
func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for one := range c.open {
		_ = one.Conn.Close()
	}
}

// Close closes the connection and makes room for another.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
