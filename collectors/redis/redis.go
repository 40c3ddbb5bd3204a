package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

const (
	// batchLines bounds what is handed over at once; gather is how long lines may wait for
	// others.
	batchLines = 5_000
	gather     = 200 * time.Millisecond
	pingEvery  = 10 * time.Second
	// listEvery is how often the clients are asked for, listSoon how soon again when one
	// appears that is not known.
	listEvery = time.Minute
	listSoon  = 2 * time.Second
	// saveEvery is how often it is kept that nothing happened.
	saveEvery = time.Minute
	// lastHandOver bounds the last hand-over of a run.
	lastHandOver = 5 * time.Second
	// placeBits is how many bits of a place count: see decode.Stream.Message.
	placeBits = 43
	// jump is how far the server's clock may go back before that is told.
	jump = time.Second
)

// position is until when the server was watched, as the ledger keeps it.
type position struct {
	// Until is the server's time of the last line, in microseconds since 1970.
	Until int64 `json:"until,omitempty"`
	// Run is the server's run, "" when that isn't known; End is why the watch ended, where
	// that was neither it nor us being stopped.
	Run string `json:"run,omitempty"`
	End string `json:"end,omitempty"`
}

// Why a watch ended.
const (
	endCut    = "cut"
	endBehind = "behind"
)

// watch is one run.
type watch struct {
	m      *Monitor
	sink   collectors.Sink
	stream *decode.Stream
	q      *queue
	p      position

	helperMu sync.Mutex // guards helper
	helper   *conn

	// known are the addresses of the last list of clients, or looked for in vain since.
	known  map[string]bool
	listed time.Time
	saved  time.Time
	// last is the time of the last line, same counts those that share it.
	last, same int64
	// handing outlives the run's context for as long as the last hand-over may take.
	handing context.Context
}

// Run watches the server until ctx is cancelled. It returns an error when the connection
// ends: the next run tells since when nothing was seen.
func (m *Monitor) Run(ctx context.Context, pos []byte, sink collectors.Sink) error {
	w := &watch{m: m, sink: sink, stream: decode.NewStream(&m.cfg.Decode, "monitor"), q: newQueue(m.queue)}
	if p := collectors.Position(m.cfg.Decode.Source, pos, m.log, func(p *position) bool { return p.Until > 0 }); p != nil {
		w.p = *p
	}
	err := w.run(ctx)
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed)) {
		return nil
	}
	return err
}

// Check connects and asks for MONITOR, of which it reads nothing. The error says what is
// missing, with the command that mends it where there is one.
func (m *Monitor) Check(ctx context.Context) error {
	c, err := dial(ctx, &m.to)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if _, err := c.do("PING"); err != nil {
		return rights("ask Redis for PING", err)
	}
	if _, err := c.do("CLIENT", "LIST"); err != nil {
		return rights("ask Redis for CLIENT LIST", err)
	}
	if _, err := c.do("MONITOR"); err != nil {
		return rights("ask Redis for MONITOR", err)
	}
	return nil
}

func (w *watch) run(ctx context.Context) error {
	helper, err := dial(ctx, &w.m.to)
	if err != nil {
		return err
	}
	defer helper.Close()
	c, err := dial(ctx, &w.m.to)
	if err != nil {
		return err
	}
	defer c.Close()
	w.helper = helper
	// At a stop nothing more is read, and what may still be asked and handed over is
	// bounded: a server that hangs must not hold it up.
	var done context.CancelFunc
	w.handing, done = context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	defer context.AfterFunc(ctx, func() {
		c.Close()
		time.AfterFunc(lastHandOver, func() {
			done()
			helper.Close()
		})
	})()
	run := ""
	if info, err := helper.do("INFO", "server"); err == nil {
		run = field(info, "run_id")
	}
	if _, err := c.do("MONITOR"); err != nil {
		return rights("ask Redis for MONITOR", err)
	}
	b := w.batch()
	if w.p.Until > 0 {
		b.Lapses = append(b.Lapses, w.away(run))
	}
	w.p = position{Run: run, Until: w.m.now().UnixMicro()}

	// Whatever ends one of these ends all: the reader by its connection, the other by its
	// context.
	pinging, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { w.read(c, helper.own) })
	wg.Go(func() { w.ping(pinging, c) })
	defer func() {
		stop()
		c.Close()
		helper.Close()
		wg.Wait()
	}()
	w.list(&b)
	if err := w.hand(b); err != nil {
		return err
	}
	return w.deliver(ctx)
}

// away tells of the time since the last line of the run before.
func (w *watch) away(run string) vigil.Lapse {
	why := "vigil was not connected"
	switch {
	case run != "" && w.p.Run != "" && run != w.p.Run:
		why = "the server was started anew"
	case w.p.End == endCut:
		why = "the server ended MONITOR and ran on, as it does with who reads too slowly (client-output-buffer-limit), or at CLIENT KILL"
	case w.p.End == endBehind:
		why = "commands came faster than they were taken, and vigil left so that they would not fill the server's memory"
	}
	end := w.m.now().UTC()
	start := time.UnixMicro(w.p.Until).UTC()
	if start.After(end) {
		start = end
	}
	return vigil.Lapse{
		Source: w.m.cfg.Decode.Source, Kind: vigil.LapseDropped, Start: start, End: end, Missing: vigil.Unknown,
		Text: why + ": what was done in Redis meanwhile is not known, since MONITOR keeps nothing",
	}
}

func (w *watch) batch() collectors.Batch { return collectors.Batch{Source: w.m.cfg.Decode.Source} }

// read fills the queue, and waits for nobody.
func (w *watch) read(c *conn, helper string) {
	for {
		_ = c.SetReadDeadline(time.Now().Add(answerTimeout))
		text, err := c.line(maxLine)
		if err != nil {
			w.q.end(fmt.Errorf("read MONITOR: the connection ended: %w", err))
			return
		}
		if len(text) > 0 && text[0] == '-' {
			w.q.end(errors.New("read MONITOR: the server ended it"))
			return
		}
		l := parseLine(bytes.TrimPrefix(text, []byte{'+'}))
		if l.addr != "" && (l.addr == helper || l.addr == c.own) {
			l.text = nil
		}
		if err := w.q.put(l); err != nil {
			c.Close()
			w.q.end(err)
			return
		}
	}
}

// parseLine finds a line's time and address: 1339518083.107412 [0 127.0.0.1:60866] "GET".
func parseLine(text []byte) line {
	l := line{text: text}
	stamp, rest, _ := bytes.Cut(text, []byte{' '})
	seconds, fraction, ok := strings.Cut(string(stamp), ".")
	s, err1 := strconv.ParseInt(seconds, 10, 64)
	f, err2 := strconv.ParseInt(fraction, 10, 64)
	if !ok || err1 != nil || err2 != nil || len(fraction) != 6 || s < 0 || s > 1<<40 {
		return l
	}
	l.micros = s*1_000_000 + f
	if inner, _, ok := bytes.Cut(rest, []byte("] ")); ok {
		if _, addr, ok := bytes.Cut(inner, []byte{' '}); ok {
			l.addr = string(addr)
		}
	}
	return l
}

// ask sends a command over the second connection.
func (w *watch) ask(args ...string) (string, error) {
	w.helperMu.Lock()
	defer w.helperMu.Unlock()
	return w.helper.do(args...)
}

// ping keeps MONITOR talking, and ends it when the server no longer answers.
func (w *watch) ping(ctx context.Context, c *conn) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		if _, err := w.ask("PING"); err != nil && !isServer(err) {
			c.Close()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// list tells the decoder who is behind which address.
func (w *watch) list(b *collectors.Batch) {
	w.listed, w.known = w.m.now(), map[string]bool{}
	text, err := w.ask("CLIENT", "LIST")
	if err != nil {
		return // without it addresses are anonymous; a dead connection ends the run elsewhere
	}
	for one := range strings.Lines(text) {
		if addr := field(one, "addr"); addr != "" {
			w.known[addr] = true
			w.stream.Line(w.p.Until, []byte(strings.TrimRight(one, "\r\n")), w.listed, b)
		}
	}
}

// deliver hands over what comes, until it ends.
func (w *watch) deliver(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.q.ready:
			if w.q.len() < batchLines {
				w.gather(ctx)
			}
		case <-tick.C:
		case <-ctx.Done():
			return w.rest()
		}
		lines, ended := w.q.take(batchLines)
		if err := w.take(lines); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return w.rest()
		}
		if ended != nil {
			w.note(ended)
			return ended
		}
	}
}

// note keeps why the watch ended, for the next one to tell.
func (w *watch) note(ended error) {
	why := endBehind
	if !errors.Is(ended, errBehind) {
		if _, err := w.ask("PING"); err != nil && !isServer(err) {
			return // the server is gone altogether
		}
		why = endCut
	}
	w.p.End = why
	_ = w.hand(w.batch()) // what is told without it is enough
}

// gather waits for lines that come soon after the first.
func (w *watch) gather(ctx context.Context) {
	t := time.NewTimer(gather)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// rest hands over what is held when the run is to end.
func (w *watch) rest() error {
	w.saved = time.Time{}
	for {
		lines, _ := w.q.take(batchLines)
		if err := w.take(lines); err != nil {
			return err
		}
		if len(lines) == 0 {
			return nil
		}
	}
}

// take decodes lines and hands over what comes of them.
func (w *watch) take(lines []line) error {
	b := w.batch()
	now := w.m.now()
	stranger, told := false, false
	for _, l := range lines {
		told = told || l.text != nil
		stranger = stranger || l.text != nil && l.addr != "" && !w.known[l.addr]
	}
	if since := now.Sub(w.listed).Abs(); since >= listEvery || stranger && since >= listSoon {
		w.list(&b)
		for _, l := range lines {
			if l.addr != "" {
				w.known[l.addr] = true // one that is gone is not looked for again
			}
		}
	}
	for _, l := range lines {
		at := w.clock(l, &b)
		if l.text != nil {
			w.stream.Line(at, l.text, now, &b)
		}
	}
	if !told && now.Sub(w.saved).Abs() < saveEvery {
		return nil
	}
	return w.hand(b)
}

// clock notes a line's time and returns its place: lines of one microsecond follow each
// other, and the time is in the line, so that no two lines have one id.
func (w *watch) clock(l line, b *collectors.Batch) int64 {
	switch {
	case l.micros == 0 || l.micros == w.last:
		w.same++
		return (w.last + w.same) & (1<<placeBits - 1)
	case w.last-l.micros > jump.Microseconds():
		b.Lapses = append(b.Lapses, vigil.Lapse{
			Source: b.Source, Kind: vigil.LapseClock, Start: time.UnixMicro(l.micros).UTC(), End: time.UnixMicro(w.last).UTC(),
			Text: "the clock of the Redis server went back; see to it that it is kept by NTP",
		})
	}
	w.last, w.same, w.p.Until = l.micros, 0, l.micros
	return w.last & (1<<placeBits - 1)
}

func (w *watch) hand(b collectors.Batch) error {
	var err error
	if b.Position, err = json.Marshal(w.p); err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	if err := w.sink.Accept(w.handing, b); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	w.saved = w.m.now()
	return nil
}
