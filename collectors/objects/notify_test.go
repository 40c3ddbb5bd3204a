package objects_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/mempubsub"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/objects"
)

// created is S3's message about new objects.
func created(bucket string, keys ...string) []byte {
	var records []string
	for _, key := range keys {
		records = append(records, fmt.Sprintf(`{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q}}}`,
			bucket, url.QueryEscape(key)))
	}
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// notifiedConfig lists once in an hour: what comes meanwhile comes by notification.
func notifiedConfig(url string) objects.Config {
	cfg := config(url)
	cfg.Poll = 0
	return cfg
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	topic := mempubsub.NewTopic()
	sub := mempubsub.NewSubscription(topic, 200*time.Millisecond)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = sub.Shutdown(ctx)
		_ = topic.Shutdown(ctx)
	})
	send := func(body []byte) {
		t.Helper()
		if err := topic.Send(t.Context(), &pubsub.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	cfg := notifiedConfig(s.url())
	cfg.Prefixes = []string{"in/"}
	s.put("in/0", text(records(1, 10)...))
	o := newOracle()
	stop := begin(t, o, collector(t, cfg, objects.Options{Subscription: sub}))
	o.AwaitRecords(t, 10) // listed
	s.put("in/a b+c", text(records(11, 10)...))
	s.put("in/d", packed(t, text(records(21, 10)...)))
	s.put("out/e", text(records(1000, 10)...))
	send([]byte("nonsense"))
	send(created("another", "in/a b+c"))
	send(created("logs", "out/e", "in/", "in/0"))
	send(created("logs", "in/a b+c", "in/d"))
	send(created("logs", "in/d"))
	o.AwaitRecords(t, 30)
	// While the sink refuses nothing is acknowledged: the message comes again.
	s.put("in/f", text(records(31, 10)...))
	o.Block()
	send(created("logs", "in/f"))
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	_ = stop()
	o.Unblock()
	cfg.Start = time.Now().Add(time.Hour) // the listing shows nothing: the position knows better
	stop = begin(t, o, collector(t, cfg, objects.Options{Subscription: sub}))
	o.AwaitRecords(t, 40)
	o.Await(t, "the nonsense", func(_, aside, _ int) bool { return aside == 1 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 40)
	if q := o.Quarantined(); len(q) != 1 || q[0].Code != "notification" {
		t.Errorf("%+v", q)
	}
}

// sqs is a queue that speaks as much of SQS's protocol as a receiver needs.
type sqs struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string]string // by receipt
	hidden map[string]time.Time
	n      int
}

func newSQS(t testing.TB) *sqs {
	t.Helper()
	q := &sqs{bodies: map[string]string{}, hidden: map[string]time.Time{}}
	q.Server = httptest.NewServer(q)
	t.Cleanup(q.Close)
	return q
}

func (q *sqs) send(body []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.n++
	q.bodies[fmt.Sprint(q.n)] = string(body)
}

func (q *sqs) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.bodies)
}

func (q *sqs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var in struct {
		MaxNumberOfMessages int
		Entries             []struct{ Id, ReceiptHandle string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	type id struct{ Id string }
	var done []id
	out := map[string]any{}
	switch op := r.Header.Get("X-Amz-Target"); op {
	case "AmazonSQS.ReceiveMessage":
		var messages []map[string]string
		for receipt, body := range q.bodies {
			if time.Now().Before(q.hidden[receipt]) || len(messages) >= max(in.MaxNumberOfMessages, 1) {
				continue
			}
			q.hidden[receipt] = time.Now().Add(30 * time.Second)
			sum := md5.Sum([]byte(body))
			messages = append(messages, map[string]string{"MessageId": receipt, "ReceiptHandle": receipt, "Body": body, "MD5OfBody": hex.EncodeToString(sum[:])})
		}
		out["Messages"] = messages
	case "AmazonSQS.DeleteMessageBatch", "AmazonSQS.ChangeMessageVisibilityBatch":
		for _, e := range in.Entries {
			done = append(done, id{e.Id})
			delete(q.hidden, e.ReceiptHandle)
			if op == "AmazonSQS.DeleteMessageBatch" {
				delete(q.bodies, e.ReceiptHandle)
			}
		}
		out["Successful"], out["Failed"] = done, []id{}
	default:
		http.Error(w, op, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out)
}

// sqsPeer is a bucket that tells a queue of each object.
type sqsPeer struct {
	s3Peer
	queue *sqs
}

func (p *sqsPeer) Write(ctx context.Context, rs ...collectorstest.Record) error {
	if err := p.s3Peer.Write(ctx, rs...); err != nil {
		return err
	}
	p.queue.send(created("logs", fmt.Sprintf("a/%04d.log.gz", p.n)))
	return nil
}

func (p *sqsPeer) Collector() (collectors.Collector, error) {
	cfg := notifiedConfig(p.url())
	cfg.Notifications = "awssqs://sqs.example.org/1/q?region=us-east-1&anonymous=true&endpoint=" + p.queue.URL
	return objects.New(cfg, objects.Options{})
}

func TestS3AndSQS(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		return &sqsPeer{s3Peer{server: newServer(t)}, newSQS(t)}
	}})
}

// What is accepted is taken off the queue.
func TestMessagesAreAcknowledged(t *testing.T) {
	t.Parallel()
	p := &sqsPeer{s3Peer{server: newServer(t)}, newSQS(t)}
	o := newOracle()
	c, err := p.Collector()
	if err != nil {
		t.Fatal(err)
	}
	stop := begin(t, o, c.(*objects.Collector))
	for n := range 5 {
		if err := p.Write(t.Context(), records(n*10+1, 10)...); err != nil {
			t.Fatal(err)
		}
	}
	o.AwaitRecords(t, 50)
	for deadline := time.Now().Add(time.Minute); p.queue.left() > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are left", p.queue.left())
		}
		<-time.After(10 * time.Millisecond)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 50)
}
