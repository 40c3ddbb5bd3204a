package objects_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/objects"
)

// cloudTrail is a document of n records, as CloudTrail delivers them.
func cloudTrail(first, n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(first+i) * time.Second)
		fmt.Fprintf(&b, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:agent-%[1]d","arn":"arn:aws:sts::123456789012:assumed-role/support/agent-%[1]d","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/support","accountId":"123456789012","userName":"support"},"attributes":{"creationDate":"2026-11-02T08:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"%[2]s","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.%[1]d","userAgent":"[aws-sdk-go-v2/1.46.0]","requestParameters":{"bucketName":"chats","Host":"chats.s3.eu-central-1.amazonaws.com","key":"conversations/%[3]d.json"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":2048},"requestID":"R%[3]d","eventID":"00000000-0000-4000-8000-%012[3]d","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::chats/conversations/%[3]d.json"},{"accountId":"123456789012","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::chats"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789012","eventCategory":"Data"}`,
			(first+i)%200, at.Format(time.RFC3339), first+i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// gathering takes batches up to a number, and refuses those after it.
type gathering struct {
	mu       sync.Mutex
	left     int
	ids      map[string]int
	most     int
	position []byte
	changed  chan struct{}
}

var errFull = errors.New("no more")

func gather(batches int) *gathering {
	return &gathering{left: batches, ids: map[string]int{}, changed: make(chan struct{}, 1)}
}

func (g *gathering) Accept(_ context.Context, b collectors.Batch) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.Len() > 0 {
		if g.left == 0 {
			return errFull
		}
		g.left--
	}
	for _, e := range b.Events {
		g.ids[e.ID]++
	}
	g.most = max(g.most, b.Len())
	g.position = b.Position
	select {
	case g.changed <- struct{}{}:
	default:
	}
	return nil
}

func (g *gathering) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.ids)
}

// A large object comes in bounded batches, and a restart goes on within it: in a document
// as in lines.
func TestLargeObjects(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for name, c := range map[string]struct {
		format  string
		content []byte
	}{
		"lines":    {"native", text(records(1, n)...)},
		"document": {"cloudtrail", cloudTrail(1, n)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a.gz"), packed(t, c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := config(dir)
			cfg.Format = c.format
			first := gather(2)
			if err := collector(t, cfg, objects.Options{}).Run(t.Context(), nil, first); !errors.Is(err, errFull) {
				t.Fatalf("Run: %v", err)
			}
			if len(first.ids) == 0 || len(first.ids) > n/2 || first.most > 5000 {
				t.Errorf("%d events came, %d at most at once", len(first.ids), first.most)
			}
			rest := gather(1000)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- collector(t, cfg, objects.Options{}).Run(ctx, first.position, rest) }()
			for deadline := time.After(time.Minute); rest.count()+len(first.ids) < n; {
				select {
				case <-rest.changed:
				case err := <-done:
					t.Fatalf("Run: %v", err)
				case <-deadline:
					t.Fatalf("%d and %d events came", len(first.ids), rest.count())
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			twice := 0
			for id := range rest.ids {
				if first.ids[id] > 0 {
					twice++
				}
			}
			// The record at the seam may come again, with the id that it had.
			if all := len(rest.ids) + len(first.ids) - twice; all != n || twice > 1 {
				t.Errorf("%d records came, %d of them again after the restart, want %d", all, twice, n)
			}
		})
	}
}

// Where keys hold their date only the dates are listed that may hold something new.
func TestDatesAreListed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var mu sync.Mutex
	listed := map[string]int{}
	s.guard(func(_ http.ResponseWriter, r *http.Request) bool {
		if q := r.URL.Query(); q.Has("list-type") {
			mu.Lock()
			listed[q.Get("prefix")]++
			mu.Unlock()
		}
		return true
	})
	now := time.Now().UTC()
	key := func(back int) string { return "log/" + now.AddDate(0, 0, -back).Format("2006/01/02/") + "x.json" }
	s.put(key(0), text(records(1, 1)...))
	s.put(key(1), text(records(2, 1)...))
	s.put(key(40), text(records(1000, 1)...))
	s.put("log/other/x.json", text(records(1001, 1)...))
	s.put(strings.TrimSuffix(key(0), "json")+"csv", text(records(1002, 1)...))
	cfg := config(s.url())
	cfg.Prefixes = []string{"log/{yyyy}/{mm}/{dd}/"}
	cfg.Match = "*.json"
	o := newOracle()
	stop := begin(t, o, collector(t, cfg, objects.Options{}))
	o.AwaitRecords(t, 2)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 2)
	mu.Lock()
	defer mu.Unlock()
	if len(listed) > 4 {
		t.Errorf("listed %v", listed)
	}
}

// What lies there at the first start is read from the start on.
func TestStart(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.put("a", text(records(1, 10)...))
	for name, c := range map[string]struct {
		set  func(*objects.Config)
		want bool
	}{
		"all":    {func(c *objects.Config) { c.All = true }, true},
		"since":  {func(c *objects.Config) { c.Start = time.Now().Add(-time.Hour) }, true},
		"later":  {func(c *objects.Config) { c.Start = time.Now().Add(time.Hour) }, false},
		"unsaid": {func(*objects.Config) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(s.url())
			c.set(&cfg)
			o := newOracle()
			stop := begin(t, o, collector(t, cfg, objects.Options{}))
			if c.want {
				o.AwaitRecords(t, 10)
			} else {
				o.Await(t, "the position", func(int, int, int) bool { return o.Position() != nil })
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if got := o.Event(1) != nil; got != c.want {
				t.Errorf("it was read: %v, want %v", got, c.want)
			}
		})
	}
}

func BenchmarkFolder(b *testing.B) {
	dir := b.TempDir()
	const files, each = 40, 1000
	size := int64(0)
	for i := range files {
		doc := append(cloudTrail(i*each+1, each), '\n') // else the last line may still be in the making
		size += int64(len(doc))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.json.gz", i)), packed(b, doc), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cfg := config(dir)
	cfg.Format = "cloudtrail"
	cfg.Poll = time.Hour
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		sink := collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
			if n += len(batch.Events); n >= files*each {
				cancel()
			}
			return nil
		})
		if err := collector(b, cfg, objects.Options{}).Run(ctx, nil, sink); err != nil {
			b.Fatal(err)
		}
		cancel()
	}
	b.ReportMetric(float64(b.N*files*each)/b.Elapsed().Seconds(), "events/s")
}
