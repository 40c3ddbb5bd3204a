package syslog_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/syslog"
)

func await(t *testing.T, o *collectorstest.Oracle, what string, ok func() bool) {
	t.Helper()
	o.Await(t, what, func(_, _, _ int) bool { return true })
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// One connection mixes framings, and holds a message that is too long.
func TestMixedFraming(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, syslog.Config{}, syslog.Options{}, nil, o)
	conn := dial(t, "tcp", addr)
	fmt.Fprintf(conn, "%s\n", message(1))
	fmt.Fprintf(conn, "%d %s", len(message(2)), message(2))
	fmt.Fprintf(conn, "%d %s\n", len(message(3)), message(3))
	fmt.Fprintf(conn, "<134>1 %s\n", strings.Repeat("x", 3<<20))
	fmt.Fprintf(conn, "%s\n", message(4))
	fmt.Fprintf(conn, "%d <%s", 2<<20, strings.Repeat("y", 2<<20-1))
	fmt.Fprintf(conn, "%s\n", message(5))
	o.Await(t, "all", func(events, aside, _ int) bool { return events == 5 && aside == 2 })
	o.Check(t, 5)
	for _, q := range o.Quarantined() {
		if q.Code != "too-long" || q.Size < 2<<20 || q.File != "syslog:127.0.0.1" {
			t.Errorf("%+v", q)
		}
	}
}

// What was sent as one message is one record, whatever stands in it.
func TestNoRecordWithinAnother(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, syslog.Config{}, syslog.Options{}, nil, o)
	conn := dial(t, "tcp", addr)
	forged := message(1) + "\n" + message(2)
	fmt.Fprintf(conn, "%d %s", len(forged), forged)
	fmt.Fprintf(conn, "%s\n", message(3))
	o.Await(t, "the last", func(events, aside, _ int) bool { return events == 1 && aside == 1 })
	if o.Event(3) == nil || o.Event(2) != nil {
		t.Error("a record within another was read")
	}
}

// Equal messages of one connection are several records; sent again over the next they are
// the same.
func TestEqualMessages(t *testing.T) {
	t.Parallel()
	ids := make(chan string, 100)
	addr, _ := receiver(t, syslog.Config{}, syslog.Options{}, nil, collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		for _, e := range b.Events {
			ids <- e.ID
		}
		return nil
	}))
	var got []string
	for range 2 {
		conn := dial(t, "tcp", addr)
		for range 3 {
			fmt.Fprintf(conn, "%s\n", message(1))
		}
		for range 3 {
			got = append(got, <-ids)
		}
		conn.Close()
	}
	if got[0] == got[1] || got[1] == got[2] || got[0] == got[2] {
		t.Errorf("equal messages have one id: %v", got)
	}
	for i := range 3 {
		if got[i] != got[i+3] {
			t.Errorf("message %d sent again has another id: %v", i, got)
		}
	}
	// Datagrams are never sent again.
	addr, _ = receiver(t, syslog.Config{Transport: syslog.UDP}, syslog.Options{}, nil, collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		for _, e := range b.Events {
			ids <- e.ID
		}
		return nil
	}))
	conn := dial(t, "udp", addr)
	fmt.Fprint(conn, message(1))
	fmt.Fprint(conn, message(1))
	if a, b := <-ids, <-ids; a == b {
		t.Error("equal datagrams have one id")
	}
}

func TestOnlyFromAllowedNetworks(t *testing.T) {
	t.Parallel()
	for _, transport := range []syslog.Transport{syslog.TCP, syslog.UDP} {
		var log bytes.Buffer
		o := collectorstest.NewOracle(source, nil)
		cfg := syslog.Config{Transport: transport, From: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}
		addr, stop := receiver(t, cfg, syslog.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil, o)
		network := "tcp"
		if transport == syslog.UDP {
			network = "udp"
		}
		stranger := dial(t, network, addr)
		fmt.Fprintf(stranger, "%s\n", message(1))
		if network == "tcp" {
			if _, err := stranger.Read(make([]byte, 1)); err == nil {
				t.Error("a stranger is heard")
			}
		}
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
		d := net.Dialer{LocalAddr: local}
		if network == "udp" {
			d.LocalAddr = &net.UDPAddr{IP: local.IP}
		}
		conn, err := d.Dial(network, addr)
		if err != nil {
			t.Skipf("NOT CHECKED: no second local address: %v", err)
		}
		fmt.Fprintf(conn, "%s\n", message(2))
		o.Await(t, "the one that is allowed", func(events, _, _ int) bool { return events > 0 })
		conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if o.Event(1) != nil || o.Event(2) == nil {
			t.Errorf("%s: the stranger's message came, or the other did not", transport)
		}
		if !strings.Contains(log.String(), "refused") || strings.Contains(log.String(), "agent-") {
			t.Errorf("log: %s", log.String())
		}
	}
}

// A sender that begins a message and never ends it, and one that says nothing, are cut off;
// beyond the bound nobody is let in.
func TestIdleAndTooMany(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, syslog.Config{IdleTimeout: time.Second, MaxConnections: 2}, syslog.Options{}, nil, o)
	slow, silent := dial(t, "tcp", addr), dial(t, "tcp", addr)
	go func() {
		for {
			if _, err := slow.Write([]byte("x")); err != nil {
				return
			}
			<-time.After(100 * time.Millisecond)
		}
	}()
	third := dial(t, "tcp", addr)
	for name, conn := range map[string]net.Conn{"third": third, "silent": silent, "slow": slow} {
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		var late net.Error
		if _, err := conn.Read(make([]byte, 1)); errors.As(err, &late) && late.Timeout() {
			t.Errorf("%s is not cut off", name)
		}
	}
	await(t, o, "room for another", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s\n", message(9))
		return o.Event(9) != nil
	})
}

// One that floods does not keep others waiting for ever.
func TestFairTurns(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, syslog.Config{}, syslog.Options{}, nil, o)
	flood := dial(t, "tcp", addr)
	go func() {
		var block bytes.Buffer
		for range 500 {
			block.WriteString("<134>1 2026-11-02T09:00:00Z web app - - - broken\n")
		}
		for {
			if _, err := flood.Write(block.Bytes()); err != nil {
				return
			}
		}
	}()
	for n := 1; n <= 20; n++ {
		conn := dial(t, "tcp", addr)
		fmt.Fprintf(conn, "%s\n", message(n))
		o.AwaitRecords(t, n)
		conn.Close()
	}
	flood.Close()
}

// What stands in the receive buffers at a stop is kept.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, stop := receiver(t, syslog.Config{}, syslog.Options{}, nil, o)
	conn := dial(t, "tcp", addr)
	fmt.Fprintf(conn, "%s\n", message(1))
	o.AwaitRecords(t, 1)
	o.Block()
	const n = 5000
	for i := 2; i <= n; i++ {
		fmt.Fprintf(conn, "%s\n", message(i))
	}
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	o.Unblock()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the sender is not told to go: %v", err)
	}
	conn.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	o.Check(t, n)
}

// A sink that fails for a while costs a sender that can't send again nothing.
func TestStreamsOutlastTheSink(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	refused := make(chan struct{}, 100)
	addr, _ := receiver(t, syslog.Config{}, syslog.Options{}, nil, collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		err := o.Accept(ctx, b)
		if err != nil {
			refused <- struct{}{}
		}
		return err
	}))
	o.Refuse(true)
	conn := dial(t, "tcp", addr)
	for n := 1; n <= 10; n++ {
		fmt.Fprintf(conn, "%s\n", message(n))
	}
	<-refused
	o.Refuse(false)
	o.AwaitRecords(t, 10)
	o.Check(t, 10)
}

// A message is acknowledged once the sink has it, and not before.
func TestRELPAcknowledgesWhatIsKept(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, stop := receiver(t, syslog.Config{Transport: syslog.RELP}, syslog.Options{}, nil, o)
	conn := dial(t, "tcp", addr)
	in := bufio.NewReader(conn)
	answer := func(want int, text string) {
		t.Helper()
		txnr, got, err := readAnswer(in)
		if err != nil || txnr != want || !strings.HasPrefix(got, text) {
			t.Fatalf("got %d %q, %v; want %d %q", txnr, got, err, want, text)
		}
	}
	fmt.Fprint(conn, "1 open 15 commands=syslog\n")
	answer(1, "200 OK\nrelp_version=0\n")
	o.Block()
	fmt.Fprintf(conn, "2 syslog %d %s\n", len(message(1)), message(1))
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := in.Peek(1); err == nil {
		t.Error("acknowledged before it was kept")
	}
	conn.SetReadDeadline(time.Time{})
	o.Unblock()
	answer(2, "200 OK")
	long := strings.Repeat("x", 2<<20)
	fmt.Fprintf(conn, "3 syslog %d %s\n4 what 0\n6 syslog %d %s\n", len(long), long, len(message(2)), message(2))
	answers := map[int]string{}
	for range 3 {
		txnr, text, err := readAnswer(in)
		if err != nil {
			t.Fatal(err)
		}
		answers[txnr] = text[:3]
	}
	if answers[3] != "200" || answers[4] != "500" || answers[6] != "200" {
		t.Errorf("%v", answers)
	}
	fmt.Fprint(conn, "7 close 0\n")
	answer(7, "")
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.Check(t, 2)
	if l := o.Lapses(); len(l) != 1 || l[0].Kind != vigil.LapseHole || l[0].Missing != 1 {
		t.Errorf("%+v", l)
	}
	if q := o.Quarantined(); len(q) != 1 || q[0].Code != "too-long" {
		t.Errorf("%+v", q)
	}
}

// What is no RELP ends the connection, and nothing else.
func TestRELPRefusesOthers(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, syslog.Config{Transport: syslog.RELP}, syslog.Options{}, nil, o)
	for _, text := range []string{
		"GET / HTTP/1.1\r\n\r\n", message(1) + "\n", "1 syslog 1 x\n", "1 open 16 relp_version=99\n\n", "1 open 15 commands=syslog\n1 syslog 1 x\n",
	} {
		conn := dial(t, "tcp", addr)
		fmt.Fprint(conn, text)
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		_, err := io.Copy(io.Discard, conn)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Errorf("%q: the connection stays open", text)
		}
	}
}

// A hole in the numbers over a stop is told; what came before a kill makes none.
func TestHoleOverAStop(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle(source, nil)
	numbered := func(n int) string {
		return strings.Replace(message(n), "- - {", fmt.Sprintf(`- [meta sequenceId="%d"] {`, n), 1)
	}
	var held int
	for round, n := range []int{1, 2, 5} {
		addr, stop := receiver(t, syslog.Config{}, syslog.Options{}, o.Position(), o)
		conn := dial(t, "tcp", addr)
		fmt.Fprintf(conn, "%s\n", numbered(n))
		o.AwaitRecords(t, round+1)
		conn.Close()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		held = len(o.Lapses())
	}
	if l := o.Lapses(); held != 1 || l[0].Kind != vigil.LapseHole || l[0].Missing != 2 || l[0].Source != source {
		t.Errorf("%+v", l)
	}
}

// A flood of datagrams while the sink is stuck: what the kernel threw away is counted.
func TestDroppedDatagramsAreTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it fills a large buffer")
	}
	const n = 100_000
	var missing int64
	gate := make(chan struct{})
	done := make(chan struct{})
	addr, _ := receiver(t, syslog.Config{Transport: syslog.UDP}, syslog.Options{}, nil, collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		<-gate
		for _, l := range b.Lapses {
			if l.Kind == vigil.LapseDropped {
				missing += l.Missing
			}
		}
		if missing > 0 {
			select {
			case <-done:
			default:
				close(done)
			}
		}
		return nil
	}))
	conn := dial(t, "udp", addr)
	text := []byte("<134>1 2026-11-02T09:00:00Z web app - - - " + strings.Repeat("x", 1000))
	for range n {
		if _, err := conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	close(gate)
	// The count comes beside a datagram that was taken.
	for deadline := time.Now().Add(30 * time.Second); ; {
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("no drops are told")
		}
		if _, err := conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
}
