package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"vigil/collectors/decode"
)

const (
	// firstBuffer and lastBuffer are the sizes of a connection's buffer, in bytes.
	firstBuffer = 64 << 10
	lastBuffer  = MaxMessage + 256
	// handshakeTime bounds the start of TLS, wholeTime how long a message may take that
	// began, and the first one.
	handshakeTime = 10 * time.Second
	wholeTime     = time.Minute
	// quietTime is the pause in what a RELP sender sends after which what came is kept
	// at once, since it may wait for that.
	quietTime = 3 * time.Millisecond
	// holdTime is how long a record is held back for what may belong to it.
	holdTime = time.Second
	// drainQuiet and drainTime end the reading of a connection at a stop.
	drainQuiet = 2 * time.Second
	drainTime  = 5 * time.Second
	// answerTime bounds how long a sender may take no acknowledgements.
	answerTime = 30 * time.Second
	// allOrdinals is how many messages are remembered over all connections, so that equal
	// ones are told apart; leastOrdinals of one.
	allOrdinals   = 2 << 20
	leastOrdinals = 4 << 10
)

// connection is one that is served. It is for one goroutine.
type connection struct {
	*run
	conn   net.Conn
	sender string
	name   string
	frames framing
	// relp and session are those of a RELP connection, else nil.
	relp    *relp
	session *session
	stream  *decode.Stream
	equal   ordinals
	chunk   *chunk
	answers []byte

	buf        []byte
	start, end int
	// whole is when the last whole message came, or the connection; begun when one began
	// of which the rest is still to come; stated when the decoder's state was last kept.
	whole, begun, stated time.Time
	// flushed says that nothing came since what was held back was let out.
	flushed bool
	// lost is why something could not be kept: nothing may be acknowledged after it.
	lost error
	// until is when the read that goes on ends, drainEnd when all do at a stop, zero before.
	until, drainEnd time.Time
}

// serve reads a connection to its end.
func (u *run) serve(conn net.Conn, addr string) {
	c := &connection{
		run: u, conn: conn, sender: addr, chunk: newChunk(),
		equal: ordinals{size: max(leastOrdinals, allOrdinals/2/u.cfg.MaxConnections)},
	}
	if u.keys != nil {
		name, secure, err := c.handshake()
		if err != nil {
			if u.ending.Err() == nil {
				u.log.warn("tls", "a TLS connection was refused", "address", addr, "error", err.Error())
			}
			return
		}
		c.conn = secure
		if name != "" {
			c.sender = name
		}
	}
	c.name = "syslog:" + c.sender
	c.stream = decode.NewStream(&u.cfg.Decode, c.name)
	c.stream.Restore(u.states.get(c.sender))
	if u.cfg.Transport == RELP {
		c.relp, c.session = &relp{}, &session{}
		c.frames = c.relp
	} else {
		c.frames = &splitter{}
	}
	c.buf = make([]byte, firstBuffer)
	c.whole = u.opt.Now()
	c.begun, c.stated = c.whole, c.whole
	// A read that waits must hear of the stop.
	defer context.AfterFunc(u.ending, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	if err := c.read(); err != nil && !errors.Is(err, io.EOF) && u.ending.Err() == nil {
		u.log.warn("connection", "a connection ended badly", "address", addr, "error", err.Error())
	}
}

// handshake starts TLS. name is that of the sender's certificate, where one was asked for.
func (c *connection) handshake() (name string, secure *tls.Conn, err error) {
	ctx, cancel := context.WithTimeout(c.ending, handshakeTime)
	defer cancel()
	secure = tls.Server(c.conn, c.keys.config())
	if err := secure.HandshakeContext(ctx); err != nil {
		return "", nil, err
	}
	return senderName(secure.ConnectionState()), secure, nil
}

// read takes messages until the connection ends, or the run does.
func (c *connection) read() error {
	for eof := false; ; {
		more, err := c.take(eof)
		if err != nil {
			return errors.Join(err, c.finish())
		}
		if more {
			continue
		}
		if eof {
			return c.finish()
		}
		switch err := c.fill(); {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			end, err := c.overdue()
			if err != nil {
				return errors.Join(err, c.finish())
			}
			eof = end && c.session == nil
			if end && !eof {
				return c.finish()
			}
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), c.ending.Err() != nil:
			eof = true
		default:
			// Reset: what came before it counts.
			return errors.Join(err, c.finish())
		}
	}
}

// take takes the messages that are in the buffer. more says that a chunk was full.
func (c *connection) take(eof bool) (more bool, err error) {
	for c.start < c.end || eof {
		f, used, ok, err := c.frames.next(c.buf[c.start:c.end], eof)
		c.start += used
		if err != nil {
			return false, err
		}
		if !ok && used > 0 {
			continue // it was the start of one
		}
		if !ok {
			return false, nil
		}
		now := c.opt.Now()
		c.whole = now
		if c.session != nil {
			err = c.command(&f, now)
		} else {
			c.message(&f, now)
		}
		if err != nil {
			return false, err
		}
		if c.chunk.full() {
			return true, c.keep()
		}
	}
	return false, nil
}

// message decodes one message, or sets it aside.
func (c *connection) message(f *frame, now time.Time) (at int64) {
	f.clean()
	hash := hashOf(f)
	at = place(hash, c.equal.next(hash))
	k := c.chunk
	if k.messages == 0 {
		k.began = now
	}
	k.messages++
	c.flushed = false
	k.bytes += len(f.text)
	switch {
	case f.long > 0:
		k.batch.Quarantined = append(k.batch.Quarantined, c.aside(c.name, "too-long",
			fmt.Sprintf("the message has %d bytes, at most %d are read: let the sender cut what it logs", f.long, MaxMessage), at, f.long, hash, now))
	case f.missing > 0:
		k.batch.Quarantined = append(k.batch.Quarantined, c.aside(c.name, "cut",
			fmt.Sprintf("the connection ended %d bytes before the end of the message: send over RELP, which sends it again", f.missing), at, int64(len(f.text)), hash, now))
	case len(f.text) > 0:
		h := readHeader(f.text, now)
		c.watch.message(c.sender, &h, now)
		c.stream.Line(at, f.text, now, &k.batch)
	}
	return at
}

// command does what a RELP frame asks for.
func (c *connection) command(f *frame, now time.Time) error {
	head := c.relp.head
	missing, err := c.session.number(head.txnr)
	if err != nil {
		return err
	}
	if missing > 0 {
		c.watch.numbers(c.sender, missing, now)
	}
	switch {
	case head.command == "open" && !c.session.open:
		text, ok := opening(f.text)
		c.answers = appendResponse(c.answers, head.txnr, text)
		if err := c.answer(); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w that we speak: the opening asks for another version, or offers no syslog", errRELP)
		}
		c.session.open = true
	case head.command == "syslog" && c.session.open:
		c.session.owed = append(c.session.owed, debt{head.txnr, c.message(f, now)})
	case head.command == "close":
		if err := c.finish(); err != nil {
			return err
		}
		c.answers = appendResponse(c.answers, head.txnr, "")
		return errors.Join(c.answer(), io.EOF)
	case !c.session.open:
		return fmt.Errorf("%w: it does not begin with open", errRELP)
	default:
		c.answers = appendResponse(c.answers, head.txnr, "500 this command is not known here")
		return c.answer()
	}
	return nil
}

// fill reads what there is, within the time that the state allows.
func (c *connection) fill() error {
	if c.start > 0 {
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
	}
	switch {
	case c.end == len(c.buf):
		bigger := make([]byte, min(4*len(c.buf), lastBuffer))
		copy(bigger, c.buf)
		c.buf = bigger
	case c.end == 0 && len(c.buf) > firstBuffer:
		c.buf = make([]byte, firstBuffer)
	}
	c.until = c.deadline()
	if err := c.conn.SetReadDeadline(c.until); err != nil {
		return fmt.Errorf("set the time to read: %w", err)
	}
	if c.ending.Err() != nil && c.drainEnd.IsZero() {
		return os.ErrDeadlineExceeded // the stop came in between
	}
	n, err := c.conn.Read(c.buf[c.end:])
	if n > 0 {
		if c.end == 0 && !c.frames.inside() {
			c.begun = c.opt.Now()
		}
		c.end += n
		return nil // an error comes again
	}
	return err
}

// deadline is until when to wait for more. It is of the system's clock, whatever that of
// the run.
func (c *connection) deadline() time.Time {
	now := time.Now()
	within := func(d time.Duration, since time.Time) time.Time { return now.Add(d - c.opt.Now().Sub(since)) }
	if !c.drainEnd.IsZero() {
		return earlier(now.Add(drainQuiet), c.drainEnd)
	}
	until := within(c.patience())
	if c.chunk.messages > 0 {
		until = earlier(until, within(batchWait, c.chunk.began))
		if c.session != nil {
			until = earlier(until, now.Add(quietTime))
		}
	} else if c.held() {
		until = earlier(until, within(holdTime, c.whole))
	}
	return until
}

// patience is how long to wait for the next whole message, and since when.
func (c *connection) patience() (time.Duration, time.Time) {
	if c.end > 0 || c.frames.inside() || c.session != nil && !c.session.open {
		since := c.whole
		if c.begun.After(since) {
			since = c.begun
		}
		return min(wholeTime, c.cfg.IdleTimeout), since
	}
	return c.cfg.IdleTimeout, c.whole
}

// held says that a record is held back that was not asked for yet.
func (c *connection) held() bool {
	_, held := c.stream.Pending()
	return held && !c.flushed
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// overdue does what is to be done when nothing came in time. end says that the connection
// is to end.
func (c *connection) overdue() (end bool, err error) {
	if c.ending.Err() != nil {
		return c.drain()
	}
	now := c.opt.Now()
	patience, since := c.patience()
	switch {
	case c.chunk.messages > 0:
		return false, c.keep()
	case c.held() && now.Sub(c.whole) >= holdTime:
		c.stream.Flush(now, &c.chunk.batch)
		c.flushed = true
		return false, c.keep()
	case now.Sub(since) >= patience:
		return true, nil
	}
	return false, nil
}

// drain begins or ends the reading at a stop: the sender is told that we hear no more,
// and what is on its way is read. A RELP sender has all of it still.
func (c *connection) drain() (end bool, err error) {
	if !c.drainEnd.IsZero() || c.session != nil {
		// What wakes the read up at the stop may come late, and must not end the drain.
		return c.session != nil || !time.Now().Before(c.until), nil
	}
	c.drainEnd = time.Now().Add(drainTime)
	// Within TLS too it is the stream's end that senders look for; a close_notify before it
	// would hide it from those that only look whether there is something to read.
	conn := c.conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // a sender that does not look is none the worse
	}
	return false, nil
}

// keep hands over what came, waits until it is kept, and then, where the sender hears it,
// acknowledges it.
func (c *connection) keep() error {
	if c.lost != nil {
		return c.lost
	}
	k := c.chunk
	c.chunk = newChunk()
	if now := c.opt.Now(); now.Sub(c.stated) >= stateEvery {
		c.stated = now
		if err := c.state(); err != nil {
			return err
		}
	}
	if k.batch.Len() > 0 {
		if err := c.give(k); err != nil {
			c.lost = err
			return err
		}
	}
	if c.session == nil {
		return nil
	}
	pending, held := c.stream.Pending()
	c.answers = c.session.settle(c.answers, pending, held)
	return c.answer()
}

// answer sends what is to be answered.
func (c *connection) answer() error {
	if len(c.answers) == 0 {
		return nil
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
		return fmt.Errorf("set the time to answer: %w", err)
	}
	_, err := c.conn.Write(c.answers)
	c.answers = c.answers[:0]
	if err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	return nil
}

// finish keeps the rest, and what the decoder knows for the next connection.
func (c *connection) finish() error {
	c.stream.Flush(c.opt.Now(), &c.chunk.batch)
	if err := c.keep(); err != nil {
		return err
	}
	if err := c.state(); err != nil {
		return err
	}
	if c.session != nil && c.ending.Err() != nil {
		c.answers = append(c.answers, "0 serverclose 0\n"...)
		return c.answer()
	}
	return nil
}

// state keeps what the decoder knows.
func (c *connection) state() error {
	state, err := c.stream.State()
	if err != nil {
		return fmt.Errorf("keep what is known of the sender: %w", err)
	}
	c.states.put(c.sender, state)
	return nil
}
