package syslog

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"vigil/collectors/decode"
	"vigil/collectors/formats"
)

const (
	// receiveBuffer is what the kernel is asked to hold for us, in bytes.
	receiveBuffer = 32 << 20
	// packBytes bounds the datagrams read at once, packQueue how many packs wait.
	packBytes = 1 << 20
	packQueue = 16
	// maxDatagram is the largest one.
	maxDatagram = 64 << 10
	// packWait is how long a pack waits for more; drainUDP and its end, how long a stop
	// waits for what the kernel has still.
	packWait    = 100 * time.Millisecond
	drainUDP    = 50 * time.Millisecond
	drainUDPEnd = 2 * time.Second
)

// pack is datagrams as they came.
type pack struct {
	data  []byte
	grams []datagram
	// dropped is what the kernel threw away since the start.
	dropped uint32
}

type datagram struct {
	from netip.Addr
	end  int
	now  time.Time
}

// datagrams reads at c until the end.
func (u *run) datagrams(c *net.UDPConn) {
	if got := receiveSize(c); got > 0 && got < receiveBuffer/2 {
		u.log.warn("buffer", "the kernel holds less for us than was asked for; raise net.core.rmem_max, so that bursts are not dropped", "bytes", got, "asked", receiveBuffer)
	}
	if u.opt.Listening != nil {
		u.opt.Listening(c.LocalAddr())
	}
	packs := make(chan *pack, packQueue)
	u.wg.Go(func() { u.decodePacks(packs) })
	defer close(packs)
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(u.ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	var drain time.Time
	for {
		p, err := u.pack(c, &drain)
		if len(p.grams) > 0 {
			select {
			case packs <- p:
			case <-u.failed:
				return
			}
		}
		switch {
		case !drain.IsZero() && (err != nil || time.Now().After(drain)):
			return
		case err != nil && u.ctx.Err() == nil:
			u.log.warn("read", "datagrams can't be read", "error", err.Error())
			select {
			case <-time.After(packWait):
			case <-u.ctx.Done():
			}
		}
	}
}

// pack reads one pack. Once the run is to end drain is when reading must, and an error
// says that nothing more came.
func (u *run) pack(c *net.UDPConn, drain *time.Time) (*pack, error) {
	p := &pack{}
	var out [128]byte
	var told []byte
	room := make([]byte, maxDatagram)
	until := time.Time{}
	if !drain.IsZero() {
		until = time.Now().Add(drainUDP)
	}
	set := func() error { return c.SetReadDeadline(until) }
	if err := set(); err != nil {
		return p, err
	}
	defer func() { p.dropped = droppedOf(told) }()
	for len(p.grams) < batchMessages && len(p.data) < packBytes {
		if u.ctx.Err() != nil && drain.IsZero() {
			*drain = time.Now().Add(drainUDPEnd)
			return p, nil
		}
		n, oobn, _, from, err := c.ReadMsgUDPAddrPort(room, out[:])
		if err != nil {
			switch {
			case !errors.Is(err, os.ErrDeadlineExceeded):
			case drain.IsZero():
				err = nil
			case time.Now().Before(until):
				// What wakes the read up at the stop may come late.
				if err := set(); err != nil {
					return p, err
				}
				continue
			}
			return p, err
		}
		if oobn > 0 {
			told = append(told[:0], out[:oobn]...)
		}
		addr := from.Addr().Unmap().WithZone("")
		if !u.allowed(addr) {
			u.log.warn("from", "datagrams from outside the networks in \"from\" were refused", "address", addr.String())
			continue
		}
		p.data = append(p.data, room[:n]...)
		p.grams = append(p.grams, datagram{addr, len(p.data), u.opt.Now()})
		if len(p.grams) == 1 && drain.IsZero() {
			until = time.Now().Add(packWait)
			if err := set(); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// gramSender is one that sends datagrams.
type gramSender struct {
	addr    string
	stream  *decode.Stream
	last    time.Time
	flushed bool
}

// decodePacks decodes packs and gives them.
func (u *run) decodePacks(packs <-chan *pack) {
	senders := formats.NewBounded[netip.Addr, *gramSender](u.cfg.MaxConnections)
	start, number, dropped, since := uint64(u.opt.Now().UnixNano()), uint64(0), uint32(0), u.opt.Now()
	tick := time.NewTicker(holdTime)
	defer tick.Stop()
	for {
		k := newChunk()
		select {
		case p, ok := <-packs:
			if !ok {
				for _, s := range senders.All() {
					s.stream.Flush(u.opt.Now(), &k.batch)
					u.keepState(s)
				}
				if k.batch.Len() > 0 {
					_ = u.give(k) // the run tells of it
				}
				return
			}
			from := 0
			for _, g := range p.grams {
				s := u.gramSender(senders, g.from, k)
				f := frame{text: p.data[from:g.end], whole: true}
				from = g.end
				if f.clean(); len(f.text) == 0 {
					continue
				}
				number++
				s.last, s.flushed = g.now, false
				h := readHeader(f.text, g.now)
				u.watch.message(s.addr, &h, g.now)
				s.stream.Line(place(start, number), f.text, g.now, &k.batch)
			}
			now := u.opt.Now()
			if d := p.dropped - dropped; p.dropped != 0 && d != 0 {
				u.watch.dropped(int64(d), since, now)
				dropped = p.dropped
			}
			since = now
		case now := <-tick.C:
			for _, s := range senders.All() {
				if _, held := s.stream.Pending(); held && !s.flushed && now.Sub(s.last) >= holdTime {
					s.stream.Flush(now, &k.batch)
					s.flushed = true
				}
			}
		}
		if k.batch.Len() > 0 {
			if err := u.give(k); err != nil {
				for range packs { // the reader must not wait for us
				}
				return
			}
		}
	}
}

// gramSender finds a sender, or makes one in the place of that heard of least recently.
func (u *run) gramSender(senders *formats.Bounded[netip.Addr, *gramSender], addr netip.Addr, k *chunk) *gramSender {
	if s, ok := senders.Get(addr); ok {
		return s
	}
	if senders.Len() >= u.cfg.MaxConnections {
		for old, s := range senders.All() {
			s.stream.Flush(u.opt.Now(), &k.batch)
			u.keepState(s)
			senders.Delete(old)
			break
		}
	}
	s := &gramSender{addr: addr.String()}
	s.stream = decode.NewStream(&u.cfg.Decode, "syslog:"+s.addr)
	s.stream.Restore(u.states.get(s.addr))
	senders.Put(addr, s)
	return s
}

func (u *run) keepState(s *gramSender) {
	state, err := s.stream.State()
	if err != nil {
		u.log.warn("state", "what is known of a sender can't be kept", "error", err.Error())
		return
	}
	u.states.put(s.addr, state)
}

func listenUDP(ctx context.Context, address string) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: controlUDP}
	c, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	return c.(*net.UDPConn), nil
}
