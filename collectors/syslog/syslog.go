// Package syslog takes messages from syslog senders, by UDP, TCP, TLS and RELP: each
// source listens at an address of its own. What the messages mean, their heads included,
// is the business of collectors/formats; here they are cut out of what comes, given ids,
// and handed over in order.
//
// # What can be lost
//
// RELP acknowledges: a message is confirmed only when the sink has it, and a sender sends
// again what was not confirmed. TCP and TLS can't: what the kernel took is the sender's no
// longer. So as little as possible lies between: a connection is read only when its last
// messages are kept, at most 1,000 messages or 150 ms at a time, and at a stop each
// connection is half-closed, read to its end or until nothing comes for two seconds,
// kept, and then closed. What a kill finds in between is lost. UDP loses what comes while
// nobody listens or faster than it can be kept; what the kernel threw away is counted and
// told.
//
// # Ids
//
// A message's id comes from its sender and its bytes, its time and numbers among them, and
// is therefore the same when it is sent again. Equal messages of one connection are told
// apart by their ordinal; of two connections they can't be, and count once: let senders
// write times with fractions of a second. Datagrams are never sent again, and have ids of
// their own. The sender is the name in its verified certificate, else its address.
//
// # Bounds
//
// Each connection holds one message at most 1 MiB long, and one batch of at most 1,000
// messages or 4 MiB, in the hands of the sink; it waits for its turn behind the others,
// so that none starves. Connections beyond the bound are refused, and the sender comes
// again. A connection that began a message must end it within a minute. Nothing is
// thrown away when the sink is behind: the senders wait, except those of UDP, whose
// datagrams wait in the kernel's buffer and in a queue of 16 batches. While the sink
// fails, RELP ends the run; the others keep what they have read, and try again.
package syslog

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors"
)

var _ collectors.Collector = (*Receiver)(nil)

const (
	// keepAlive and its count find half-open connections within two minutes or so.
	keepAlive      = 30 * time.Second
	keepAliveCount = 4
	// lastAccept is how long connections are taken at a stop.
	lastAccept = 5 * time.Millisecond
	// complaints is how often the same complaint is logged.
	complaints = time.Minute
)

// run is one call of Run.
type run struct {
	*Receiver
	// ctx ends what takes connections or datagrams, ending what reads them: it ends once
	// nobody can connect any more, so that a sender who is told to go finds us closed.
	ctx, ending context.Context
	end         context.CancelFunc
	sink        collectors.Sink
	keys        *keyring
	watch       *watch
	states      *states
	log         complainer

	chunks chan *chunk
	// failed is closed, with why set before, when the sink took no more.
	failed chan struct{}
	why    error
	stop   context.CancelFunc
	wg     sync.WaitGroup // of what gives chunks
	open   atomic.Int64
}

// Run implements collectors.Collector.
func (r *Receiver) Run(ctx context.Context, raw []byte, sink collectors.Sink) error {
	pos := collectors.Position(r.cfg.Decode.Source, raw, r.opt.Logger, (*position).sound)
	if pos == nil {
		pos = &position{}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ending, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	u := &run{
		Receiver: r, ctx: ctx, ending: ending, end: end, sink: sink, watch: newWatch(r.cfg.Decode.Source), states: newStates(pos.States),
		log: complainer{logger: r.opt.Logger, now: r.opt.Now}, chunks: make(chan *chunk), failed: make(chan struct{}), stop: stop,
	}
	u.watch.goOn(pos.Said)
	if r.cfg.Cert != "" {
		u.keys = newKeyring(&r.cfg, r.opt)
		if err := u.keys.load(); err != nil {
			return err
		}
		if err := u.keys.valid(r.opt.Now()); err != nil {
			u.log.warn("certificate", err.Error())
		}
	}
	if err := u.begin(); err != nil {
		return err
	}
	given := make(chan struct{})
	go func() {
		u.wg.Wait()
		close(given)
	}()
	return u.handOver(given, len(pos.Said) > 0)
}

// begin listens, and starts what listens.
func (u *run) begin() error {
	if u.cfg.Transport == UDP {
		c, err := listenUDP(u.ctx, u.cfg.Listen)
		if err != nil {
			return err
		}
		u.wg.Go(func() { u.datagrams(c) })
		return nil
	}
	l, err := listenTCP(u.ctx, u.cfg.Listen)
	if err != nil {
		return err
	}
	if u.opt.Listening != nil {
		u.opt.Listening(l.Addr())
	}
	u.wg.Go(func() { u.accept(l) })
	return nil
}

func listenTCP(ctx context.Context, address string) (*net.TCPListener, error) {
	lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: keepAliveCount}}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	return l.(*net.TCPListener), nil
}

func listenError(address string, err error) error {
	return fmt.Errorf("listen at %s for syslog (is the address this machine's, and free? ports below 1024 need CAP_NET_BIND_SERVICE): %w", address, err)
}

// accept takes connections until the end.
func (u *run) accept(l *net.TCPListener) {
	defer u.end()
	defer func() { _ = l.Close() }()
	defer context.AfterFunc(u.ctx, func() { _ = l.SetDeadline(time.Unix(1, 0)) })()
	for last := false; ; {
		conn, err := l.Accept()
		switch {
		case err != nil && last:
			return
		case err != nil && u.ctx.Err() != nil:
			// Those who have connected already, and may have sent, are still heard.
			last = true
			if l.SetDeadline(time.Now().Add(lastAccept)) != nil {
				return
			}
			continue
		case err != nil:
			// Of the process's files there are no more, or the connection is gone already.
			u.log.warn("accept", "a connection could not be taken", "error", err.Error())
			select {
			case <-time.After(100 * time.Millisecond):
			case <-u.ctx.Done():
			}
			continue
		}
		from, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
		addr := from.Addr().Unmap().WithZone("")
		switch {
		case !u.allowed(addr):
			u.log.warn("from", "a connection from outside the networks in \"from\" was refused", "address", addr.String())
			conn.Close()
			continue
		case u.open.Load() >= int64(u.cfg.MaxConnections):
			u.log.warn("full", "a connection was refused because max_connections are open", "address", addr.String())
			conn.Close()
			continue
		}
		u.open.Add(1)
		u.wg.Go(func() {
			defer u.open.Add(-1)
			defer conn.Close()
			u.serve(conn, addr.String())
		})
	}
}

// allowed says whether a sender may come from there.
func (u *run) allowed(addr netip.Addr) bool {
	if len(u.cfg.From) == 0 {
		return true
	}
	for _, network := range u.cfg.From {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// complainer logs the same kind of complaint once a minute, with how many there were.
type complainer struct {
	logger *slog.Logger
	now    func() time.Time

	mu    sync.Mutex // guards all below
	kinds map[string]*complaint
}

type complaint struct {
	last  time.Time
	quiet int
}

// warn logs a complaint. kind is one of ours, of which there are few.
func (c *complainer) warn(kind, what string, attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	k := c.kinds[kind]
	switch {
	case k == nil:
		if c.kinds == nil {
			c.kinds = map[string]*complaint{}
		}
		k = &complaint{}
		c.kinds[kind] = k
	case now.Sub(k.last) < complaints:
		k.quiet++
		return
	}
	if k.quiet > 0 {
		attrs = append(attrs, "since_last", k.quiet)
	}
	k.last, k.quiet = now, 0
	c.logger.Warn("syslog: "+what, attrs...)
}

// aside is a message that is set aside before it is decoded.
func (u *run) aside(name, code, reason string, at, size int64, hash uint64, now time.Time) vigil.Quarantined {
	return vigil.Quarantined{
		Source: u.cfg.Decode.Source, File: name, Line: 1, Offset: at, Time: now, Code: code, Reason: reason, Size: size, Hash: hash,
	}
}
