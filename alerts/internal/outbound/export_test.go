package outbound

import "net"

// Resolve lets a test answer for the DNS.
func (c *Client) Resolve(r *net.Resolver) { c.dialer.Resolver = r }
