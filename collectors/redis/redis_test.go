package redis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/redis"
)

func number(e *vigil.Event) int {
	n := 0
	if len(e.Subjects) == 1 {
		_, _ = fmt.Sscanf(e.Subjects[0], "c%d", &n)
	}
	return n
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{
		Source: "cache", Forgets: true, NoPoison: true, Stamps: true, Number: number,
		Peer: func(t *testing.T) collectorstest.Peer { return &peer{server: start(t, "open")} },
	})
}

// running is a collector that runs in a test.
type running struct {
	cancel context.CancelFunc
	done   chan error
}

func run(t testing.TB, cfg redis.Config, opts redis.Options, position []byte, sink collectors.Sink) *running {
	t.Helper()
	m, err := redis.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- m.Run(ctx, position, sink) }()
	t.Cleanup(cancel)
	return r
}

func (r *running) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("Run does not return")
		return nil
	}
}

func oracle() *collectorstest.Oracle { return collectorstest.NewOracle("cache", number) }

// What is away is told: after a kill of the server, after a stop of ours, and never at
// the very first start.
func TestTimeAwayIsTold(t *testing.T) {
	t.Parallel()
	s, o := start(t, "open"), oracle()
	r := run(t, config(s), redis.Options{}, nil, o)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.must(t, []string{"GET", "customer:c1"})
	o.AwaitRecords(t, 1)
	if got := o.Lapses(); len(got) != 0 {
		t.Fatalf("a first start tells %v", got)
	}
	s.kill()
	if err := r.wait(t); err == nil {
		t.Fatal("the server is gone, and Run returned nil")
	}
	s.up(t)
	began := time.Now()
	r = run(t, config(s), redis.Options{}, o.Position(), o)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.must(t, []string{"GET", "customer:c2"})
	o.AwaitRecords(t, 2)
	got := o.Lapses()
	if len(got) != 1 || got[0].Kind != vigil.LapseDropped || got[0].Missing != vigil.Unknown || !strings.Contains(got[0].Text, "started anew") {
		t.Fatalf("told: %+v", got)
	}
	if got[0].Start.After(began) || got[0].End.Before(got[0].Start) {
		t.Errorf("from %s to %s, and the server was away before %s", got[0].Start, got[0].End, began)
	}
	r.cancel()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	r = run(t, config(s), redis.Options{}, o.Position(), o)
	o.Await(t, "the second lapse", func(_, _, _ int) bool { return len(o.Lapses()) == 2 })
	if text := o.Lapses()[1].Text; !strings.Contains(text, "not connected") {
		t.Error(text)
	}
	r.cancel()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 2)
}

// The server cuts us off when its buffer for us is full: it is told as such.
func TestCutOffIsTold(t *testing.T) {
	t.Parallel()
	s, o := start(t, "open", "--client-output-buffer-limit", "normal 1kb 1kb 1"), oracle()
	r := run(t, config(s), redis.Options{}, nil, o)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	o.Await(t, "the start", func(_, _, _ int) bool { return o.Position() != nil })
	// One reply of a script far longer than the limit, and than what the network takes.
	_, _ = s.do(t.Context(), []string{"EVAL", "for i = 1, 20000 do redis.call('SET', 'customer:c1', string.rep('v', 4000)) end return 1", "0"})
	if err := r.wait(t); err == nil {
		t.Fatal("Run returned nil")
	}
	r = run(t, config(s), redis.Options{}, o.Position(), o)
	o.Await(t, "the lapse", func(_, _, _ int) bool { return len(o.Lapses()) > 0 })
	if text := o.Lapses()[0].Text; !strings.Contains(text, "client-output-buffer-limit") {
		t.Error(text)
	}
	r.cancel()
	_ = r.wait(t)
}

// A sink that stands still does not fill the server's memory: we leave, hand over what we
// hold, and tell the rest.
func TestWeLeaveWhenBehind(t *testing.T) {
	t.Parallel()
	s, o := start(t, "open"), oracle()
	o.Block()
	r := run(t, config(s), redis.Options{Queue: 64 << 10}, nil, o)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for n := 1; n <= 2000; n++ {
		commands = append(commands, []string{"GET", fmt.Sprintf("customer:c%d", n)})
	}
	s.must(t, commands...)
	o.Unblock()
	err := r.wait(t)
	if err == nil || !strings.Contains(err.Error(), "faster than they are taken") {
		t.Fatalf("Run returned %v", err)
	}
	o.Await(t, "what was held", func(events, _, _ int) bool { return events > 100 })
	r = run(t, config(s), redis.Options{}, o.Position(), o)
	o.Await(t, "the lapse", func(_, _, _ int) bool { return len(o.Lapses()) == 1 })
	if text := o.Lapses()[0].Text; !strings.Contains(text, "vigil left") {
		t.Error(text)
	}
	r.cancel()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
}

// Who is behind an address comes with the list of clients; values, passwords and our own
// commands do not come at all.
func TestWhoAndNoValues(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-a-customer-4711"
	s := start(t)
	s.must(t, []string{"ACL", "SETUSER", "maria", "on", ">" + password + "-m", "~*", "+@all"})
	var logs bytes.Buffer
	var kept []byte
	var events []*vigil.Event
	seen := make(chan string, 100)
	sink := collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		kept = append(append(kept, text...), b.Position...)
		events = append(events, b.Events...)
		for _, e := range b.Events {
			seen <- e.Shape
		}
		return nil
	})
	r := run(t, config(s), redis.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))}, nil, sink)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.must(t, []string{"AUTH", "maria", password + "-m"}, []string{"SET", "customer:c1", canary}, []string{"SET", "customer:c2", strings.Repeat(canary+"\n\"\\\x00", 100_000)},
		[]string{"HSET", "customer:c3", "mail", canary}, []string{"EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", "customer:c4", canary}, []string{"LRANGE", "customer:c9", "0", "1"})
	for deadline := time.After(time.Minute); ; {
		select {
		case shape := <-seen:
			if !strings.HasPrefix(shape, "lrange") {
				continue
			}
		case <-deadline:
			t.Fatal("waited in vain")
		}
		break
	}
	r.cancel()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary[:20], password} {
		if bytes.Contains(kept, []byte(secret)) || strings.Contains(logs.String(), secret) {
			t.Errorf("%s was kept: %s", secret, kept)
		}
	}
	writes := 0
	for _, e := range events {
		if strings.HasPrefix(e.Shape, "monitor") || strings.HasPrefix(e.Shape, "client") {
			t.Errorf("our own command came: %s", e.Shape)
		}
		if e.Action == vigil.ActionWrite {
			writes++
		}
	}
	if writes != 4 {
		t.Errorf("%d writes came, want 4", writes)
	}
}

// A connection that is open for a while has a name.
func TestUsersHaveNames(t *testing.T) {
	t.Parallel()
	s, o := start(t, "open"), oracle()
	s.must(t, []string{"ACL", "SETUSER", "maria", "on", ">" + password + "-m", "~*", "+@all"})
	user := connect(t, s, "maria", password+"-m")
	r := run(t, config(s), redis.Options{}, nil, o)
	if err := s.watched(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	o.Await(t, "the start", func(_, _, _ int) bool { return o.Position() != nil })
	user("GET", "customer:c1")
	o.AwaitRecords(t, 1)
	if got := o.Event(1).Actor.ID; got != "maria" {
		t.Errorf("it was %q", got)
	}
	r.cancel()
	_ = r.wait(t)
}

// What is wrong is told with what mends it, and without the password.
func TestErrorsTellTheRemedy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must(t, []string{"ACL", "SETUSER", "vigil", "on", ">" + password + "-v", "+ping", "+client"})
	for _, c := range []struct{ url, want string }{
		{"redis://:" + password + "-wrong@127.0.0.1:" + s.port, "check url"},
		{"redis://127.0.0.1:" + s.port, "wants a password"},
		{"redis://vigil:" + password + "-v@127.0.0.1:" + s.port, "+monitor"},
		{"redis://:" + password + "@127.0.0.1:1", "connect to Redis"},
	} {
		cfg := config(s)
		cfg.URL = c.url
		m, err := redis.New(cfg, redis.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(m.Check(t.Context()), m.Run(t.Context(), nil, oracle()))
		if err == nil || strings.Count(err.Error(), c.want) != 2 || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	m, err := redis.New(config(s), redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"http://x", "redis://", "redis://u@h", "redis://h:0", "redis://h/0?a=b", "redis://:" + password + "@%zz", "redis://h:99999"} {
		if err := redis.CheckURL(bad); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// BenchmarkMonitor measures commands from a real server to the sink.
func BenchmarkMonitor(b *testing.B) {
	s := start(b, "open")
	n := make(chan int, 1000)
	sink := collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
		n <- len(batch.Events)
		return nil
	})
	r := run(b, config(s), redis.Options{Queue: 1 << 30}, nil, sink)
	if err := s.watched(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	var commands [][]string
	for i := range 1000 {
		commands = append(commands, []string{"GET", fmt.Sprintf("customer:c%d", i)})
	}
	b.ResetTimer()
	go func() {
		for range b.N {
			_, _ = s.do(b.Context(), commands...)
		}
	}()
	for got := 0; got < 1000*b.N; got += <-n {
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "commands/s")
	b.StopTimer()
	r.cancel()
	if err := r.wait(b); err != nil {
		b.Fatal(err)
	}
}
