package torture_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const secret = "a-token-of-the-torture-test"

var client = &http.Client{Timeout: 10 * time.Second}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitEvents waits until the service has judged so many events.
func awaitEvents(t *testing.T, c *child, listen, dir, log string, total int64) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	var last string
	for time.Now().Before(deadline) {
		select {
		case err := <-c.done:
			t.Fatalf("the service ended by itself: %v\n%s", err, tail(log))
		case <-time.After(100 * time.Millisecond):
		}
		// As the commands on its machine do: each start makes another token.
		token, err := os.ReadFile(filepath.Join(dir, "console.token"))
		if err != nil {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listen+"/api/v1/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		res, err := client.Do(req)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			continue
		}
		var status struct{ Sources []struct{ Events int64 } }
		if err := json.Unmarshal(text, &status); err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, s := range status.Sources {
			n += s.Events
		}
		if n >= total {
			return
		}
		last = string(text)
	}
	// The check that follows says of which source records are missing.
	t.Errorf("waited in vain for %d records\n%s", total, last)
}

// kept is how many rotated files there are at most: what rotation throws away unread is
// lost to everybody.
const kept = 30

// fileWriter writes a log and rotates it now and then.
type fileWriter struct {
	path string
	n    int
}

func newFileWriter(_ *testing.T, dir string) *fileWriter {
	return &fileWriter{path: filepath.Join(dir, "access.log")}
}

func (w *fileWriter) config() string { return fmt.Sprintf("file: [%q]", w.path+"*") }

func (w *fileWriter) write(_ context.Context, first, n int) error {
	if w.n++; w.n%40 == 0 {
		for i := kept; i > 1; i-- {
			_ = os.Rename(fmt.Sprintf("%s.%d", w.path, i-1), fmt.Sprintf("%s.%d", w.path, i)) // not all are there yet
		}
		if err := os.Rename(w.path, w.path+".1"); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for i := first; i < first+n; i++ {
		if _, err := f.WriteString(line(i) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

func (w *fileWriter) flush(context.Context) error { return nil }

// sender sends bodies one after the other, each until it is taken.
type sender struct {
	waiting chan []byte
	pending sync.WaitGroup
	try     func(ctx context.Context, body []byte) bool
}

func newSender(t *testing.T, try func(ctx context.Context, body []byte) bool) *sender {
	s := &sender{waiting: make(chan []byte, 100_000), try: try}
	ctx := t.Context()
	for range 2 {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case body := <-s.waiting:
					for ctx.Err() == nil && !s.try(ctx, body) {
						select {
						case <-ctx.Done():
						case <-time.After(20 * time.Millisecond):
						}
					}
					s.pending.Done()
				}
			}
		}()
	}
	return s
}

func (s *sender) send(body []byte) {
	s.pending.Add(1)
	s.waiting <- body
}

func (s *sender) flush(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.pending.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func post(ctx context.Context, url, kind string, body []byte) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+secret+kind)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode/100 == 2
}

// pushWriter pushes events.
type pushWriter struct{ *sender }

func newPushWriter(t *testing.T, listen string) *pushWriter {
	return &pushWriter{newSender(t, func(ctx context.Context, body []byte) bool {
		return post(ctx, "http://"+listen+"/v1/events", "push", body)
	})}
}

func (w *pushWriter) config() string { return "push: {token: " + secret + "push}" }

func (w *pushWriter) write(_ context.Context, first, n int) error {
	var b bytes.Buffer
	for i := first; i < first+n; i++ {
		b.WriteString(line(i) + "\n")
	}
	w.send(b.Bytes())
	return nil
}

// otlpWriter exports log records by OTLP, as JSON over HTTP.
type otlpWriter struct{ *sender }

func newOTLPWriter(t *testing.T, listen string) *otlpWriter {
	return &otlpWriter{newSender(t, func(ctx context.Context, body []byte) bool {
		return post(ctx, "http://"+listen+"/v1/logs", "otlp", body)
	})}
}

func (w *otlpWriter) config() string { return "otlp: {token: " + secret + "otlp}" }

func (w *otlpWriter) write(_ context.Context, first, n int) error {
	var records []any
	for i := first; i < first+n; i++ {
		records = append(records, map[string]any{
			"timeUnixNano": strconv.FormatInt(time.Now().UnixNano(), 10), "body": map[string]any{"stringValue": line(i)},
		})
	}
	body, err := json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{"scopeLogs": []any{map[string]any{"logRecords": records}}}}})
	if err != nil {
		return err
	}
	w.send(body)
	return nil
}

// relpWriter forwards syslog messages by RELP: it keeps each until it is acknowledged,
// and sends those that are not again over the next connection.
type relpWriter struct {
	addr string

	mu      sync.Mutex // guards all below
	waiting []string
	news    chan struct{}
}

func newRELPWriter(t *testing.T) *relpWriter {
	w := &relpWriter{addr: freeAddress(t), news: make(chan struct{}, 1)}
	ctx := t.Context()
	go func() {
		for ctx.Err() == nil {
			_ = w.session(ctx) // the next session sends what this one could not
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return w
}

func (w *relpWriter) config() string {
	return fmt.Sprintf("syslog: {listen: %s, transport: relp}", w.addr)
}

func (w *relpWriter) write(_ context.Context, first, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := first; i < first+n; i++ {
		w.waiting = append(w.waiting, "<134>1 "+time.Now().UTC().Format(time.RFC3339Nano)+" host app - - - "+line(i))
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
	return nil
}

func (w *relpWriter) flush(ctx context.Context) error {
	for {
		w.mu.Lock()
		n := len(w.waiting)
		w.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d messages are not acknowledged: %w", n, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// session sends what waits over one connection, a window of 50 at a time.
func (w *relpWriter) session(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", w.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	txn := 0
	send := func(command, data string) error {
		txn++
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, err := fmt.Fprintf(conn, "%d %s %d %s\n", txn, command, len(data), data)
		return err
	}
	answer := func() error {
		if _, err := in.ReadString(' '); err != nil {
			return err
		}
		head, err := in.ReadString(' ')
		if err != nil || head != "rsp " {
			return fmt.Errorf("answer %q: %w", head, err)
		}
		size, err := in.ReadString(' ')
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(strings.TrimSpace(size))
		if err != nil {
			return err
		}
		data := make([]byte, n+1)
		if _, err := io.ReadFull(in, data); err != nil {
			return err
		}
		if !bytes.HasPrefix(data, []byte("200")) {
			return fmt.Errorf("refused: %s", data)
		}
		return nil
	}
	if err := send("open", "relp_version=0\nrelp_software=torture\ncommands=syslog"); err != nil {
		return err
	}
	if err := answer(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		w.mu.Lock()
		window := append([]string(nil), w.waiting[:min(len(w.waiting), 50)]...)
		w.mu.Unlock()
		if len(window) == 0 {
			select {
			case <-w.news:
			case <-ctx.Done():
			}
			continue
		}
		for _, m := range window {
			if err := send("syslog", m); err != nil {
				return err
			}
		}
		for range window {
			if err := answer(); err != nil {
				return err
			}
			w.mu.Lock()
			w.waiting = w.waiting[1:]
			w.mu.Unlock()
		}
	}
	return nil
}

// kafkaWriter produces to a cluster.
type kafkaWriter struct {
	brokers []string
	client  *kgo.Client
}

func newKafkaWriter(t *testing.T) *kafkaWriter {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "access"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("access"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &kafkaWriter{c.ListenAddrs(), client}
}

func (w *kafkaWriter) config() string {
	return "kafka: {topics: [access], brokers: [\"" + strings.Join(w.brokers, "\", \"") + "\"]}"
}

func (w *kafkaWriter) write(ctx context.Context, first, n int) error {
	var rs []*kgo.Record
	for i := first; i < first+n; i++ {
		rs = append(rs, kgo.StringRecord(line(i)))
	}
	return w.client.ProduceSync(ctx, rs...).FirstErr()
}

func (w *kafkaWriter) flush(context.Context) error { return nil }

// natsWriter publishes to a stream.
type natsWriter struct {
	url string
	js  jetstream.JetStream
}

func newNATSWriter(t *testing.T) *natsWriter {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	conn, err := natsgo.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		s.Shutdown()
		s.WaitForShutdown()
	})
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ACCESS", Subjects: []string{"access.>"}}); err != nil {
		t.Fatal(err)
	}
	return &natsWriter{s.ClientURL(), js}
}

func (w *natsWriter) config() string { return fmt.Sprintf("nats: {urls: [%q], stream: ACCESS}", w.url) }

func (w *natsWriter) write(ctx context.Context, first, n int) error {
	for i := first; i < first+n; i++ {
		if _, err := w.js.Publish(ctx, "access.desk", []byte(line(i))); err != nil {
			return err
		}
	}
	return nil
}

func (w *natsWriter) flush(context.Context) error { return nil }
