package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf"
	"vigil/alerts/ocsf/kafka"
)

const (
	topic  = "findings"
	canary = "canary-password"
)

func cluster(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(4, topic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func notifier(t testing.TB, cfg kafka.Config) *kafka.Notifier {
	t.Helper()
	if cfg.Topic == "" {
		cfg.Topic = topic
	}
	n, err := kafka.New(cfg, kafka.Options{Console: alertstest.Console})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// TestNewIsFree: a notifier that is made to see whether it can be, as when a configuration
// is checked, leaves nothing running; and one that was closed goes on when it is needed.
func TestNewIsFree(t *testing.T) { // alone: the others run goroutines
	if _, err := kafka.New(kafka.Config{Brokers: []string{"127.0.0.1:1"}, Topic: topic}, kafka.Options{}); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t)
}

// TestClosed: what is still told after Close is told by a new client.
func TestClosed(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	n := notifier(t, kafka.Config{Brokers: c.ListenAddrs()})
	for _, chapter := range alertstest.Chapters[:2] {
		if _, err := n.Notify(t.Context(), alertstest.Story()[chapter]); err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	read(t, c.ListenAddrs(), 2)
}

// TestGuarded: what brokers advertise leads to no cloud's metadata service.
func TestGuarded(t *testing.T) {
	t.Parallel()
	n := notifier(t, kafka.Config{Brokers: []string{"169.254.169.254:9092"}})
	if err := n.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "never spoken to") {
		t.Errorf("%v", err)
	}
}

// read reads so many records.
func read(t testing.TB, brokers []string, n int) (out []*kgo.Record) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(out) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %d of %d: %v", len(out), n, err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// TestTells: each sample arrives once, by its key and uid, a case's in one partition and in
// order, by a client that asks all replicas and numbers what it sends.
func TestTells(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	var mu sync.Mutex
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		p := r.(*kmsg.ProduceRequest)
		if p.Acks != -1 {
			t.Errorf("it asks for %d acknowledgements", p.Acks)
		}
		for _, tp := range p.Topics {
			for _, part := range tp.Partitions {
				// The producer's id stands at byte 43 of a batch (format 2): less than 0 for one
				// that is not idempotent.
				if len(part.Records) < 51 || part.Records[43]&0x80 != 0 {
					t.Error("what it sends is not numbered")
				}
			}
		}
		return nil, nil, false
	})
	n := notifier(t, kafka.Config{Brokers: c.ListenAddrs()})
	if err := n.Check(t.Context()); err != nil || n.Name() != "siem-kafka" {
		t.Errorf("check: %v", err)
	}
	var want []string
	tell := func(name string, m alerts.Message) {
		t.Helper()
		receipt, err := n.Notify(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if receipt != "" {
			want = append(want, receipt)
		}
	}
	story := alertstest.Story()
	for _, name := range alertstest.Chapters {
		tell(name, story[name])
	}
	chapters := slices.Clone(want)
	for name, m := range alertstest.Samples() {
		if _, ok := story[name]; !ok {
			tell(name, m)
		}
	}
	got := read(t, c.ListenAddrs(), len(want))
	var uids, ofCase []string
	partition := int32(-1)
	for _, r := range got {
		var e struct {
			Metadata struct {
				UID            string
				CorrelationUID string `json:"correlation_uid"`
			}
		}
		if err := json.Unmarshal(r.Value, &e); err != nil || header(r, "uid") != e.Metadata.UID || header(r, "content-type") != "application/json" {
			t.Errorf("record %.80q: %v", r.Value, err)
		}
		uids = append(uids, e.Metadata.UID)
		if string(r.Key) == story["case-new"].Case.ID && slices.Contains(chapters, e.Metadata.UID) {
			if ofCase = append(ofCase, e.Metadata.UID); partition >= 0 && r.Partition != partition {
				t.Error("a case is in two partitions")
			}
			partition = r.Partition
		}
	}
	slices.Sort(uids)
	slices.Sort(want)
	if !slices.Equal(uids, want) || !slices.Equal(ofCase, chapters) {
		t.Errorf("got %d events, want %d; of the case %q, want %q", len(uids), len(want), ofCase, chapters)
	}
}

// retry wants an error that is to be tried again and says something.
func retry(t *testing.T, name string, err error, says string) {
	t.Helper()
	var r *alerts.RetryError
	if !errors.As(err, &r) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), canary) {
		t.Errorf("%s: %T %v, want to be tried again and %q", name, err, err, says)
	}
}

// TestFaults: what fails is tried again, and told when it can be.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	answer := func(code *kerr.Error) {
		c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			p := r.(*kmsg.ProduceRequest)
			resp := p.ResponseKind().(*kmsg.ProduceResponse)
			for _, tp := range p.Topics {
				rt := kmsg.NewProduceResponseTopic()
				rt.Topic, rt.TopicID = tp.Topic, tp.TopicID
				for _, part := range tp.Partitions {
					rp := kmsg.NewProduceResponseTopicPartition()
					rp.Partition, rp.ErrorCode = part.Partition, code.Code
					rt.Partitions = append(rt.Partitions, rp)
				}
				resp.Topics = append(resp.Topics, rt)
			}
			return resp, nil, true
		})
	}
	n := notifier(t, kafka.Config{Brokers: c.ListenAddrs()})
	m := alertstest.Samples()["case-new"]
	answer(kerr.TopicAuthorizationFailed)
	_, err := n.Notify(t.Context(), m)
	retry(t, "not allowed", err, "kafka-acls")
	answer(kerr.MessageTooLarge)
	var refused *alerts.RefusedError
	if _, err := n.Notify(t.Context(), m); !errors.As(err, &refused) || refused.All || !strings.Contains(err.Error(), "max_bytes") {
		t.Errorf("too large: %v", err)
	}
	// The client itself tries again, and it arrives once.
	answer(kerr.NotLeaderForPartition)
	if receipt, err := n.Notify(t.Context(), m); err != nil || receipt != m.ID {
		t.Errorf("%q, %v", receipt, err)
	}
	if got := read(t, c.ListenAddrs(), 1); len(got) != 1 {
		t.Errorf("%d records", len(got))
	}
	_, err = notifier(t, kafka.Config{Brokers: c.ListenAddrs(), Topic: "nowhere", Timeout: 2 * time.Second}).Notify(t.Context(), m)
	retry(t, "no topic", err, "kafka-topics")
	if err := notifier(t, kafka.Config{Brokers: c.ListenAddrs(), Topic: "nowhere"}).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "kafka-topics") {
		t.Errorf("no topic: the check says %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = n.Notify(ctx, m)
	retry(t, "cancelled before", err, "")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	gone := notifier(t, kafka.Config{Brokers: []string{l.Addr().String()}, Timeout: time.Second})
	_, err = gone.Notify(t.Context(), m)
	retry(t, "nobody there", err, "siem kafka")
	if gone.Check(t.Context()) == nil {
		t.Error("nobody there: the check says nothing")
	}
}

// certificate writes one for this machine, which is its own authority.
func certificate(t testing.TB) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, path
}

// TestSecured: a cluster that asks for TLS and a password takes what is right; what is
// wrong is named, and the password never.
func TestSecured(t *testing.T) {
	t.Parallel()
	server, ca := certificate(t)
	allow := func(op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	write := allow(kmsg.ACLOperationWrite)
	idempotent := kfake.ACL{Resource: kmsg.ACLResourceTypeCluster, Name: "kafka-cluster", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationIdempotentWrite, Allow: true}
	c := cluster(t, kfake.TLS(server), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.User("PLAIN", "good", canary, write, idempotent), kfake.User("SCRAM-SHA-256", "good256", canary, write, idempotent), kfake.User("SCRAM-SHA-512", "good512", canary, write, idempotent),
		kfake.User("PLAIN", "reader", canary, allow(kmsg.ACLOperationRead), idempotent),
	)
	trusted := &ocsf.TLS{CA: ca}
	for _, tc := range []struct {
		name string
		tls  *ocsf.TLS
		sasl *kafka.SASL
		says string // empty is well
	}{
		{"plain", trusted, &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary}, ""},
		{"scram-sha-256", trusted, &kafka.SASL{Mechanism: kafka.ScramSHA256, User: "good256", Password: canary}, ""},
		{"scram-sha-512", trusted, &kafka.SASL{Mechanism: kafka.ScramSHA512, User: "good512", Password: canary}, ""},
		{"wrong password", trusted, &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary + "x"}, "user and password"},
		{"reader", trusted, &kafka.SASL{Mechanism: kafka.Plain, User: "reader", Password: canary}, "kafka-acls"},
		{"unknown authority", &ocsf.TLS{}, &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary}, "certificate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := notifier(t, kafka.Config{Brokers: c.ListenAddrs(), TLS: tc.tls, SASL: tc.sasl, Timeout: 4 * time.Second})
			check := n.Check(t.Context())
			if tc.says != "" && tc.says != "kafka-acls" {
				// The client would wait for its time to be up.
				n = notifier(t, kafka.Config{Brokers: c.ListenAddrs(), TLS: tc.tls, SASL: tc.sasl, Timeout: time.Second})
			}
			receipt, err := n.Notify(t.Context(), alertstest.Samples()["case-new"])
			if tc.says == "" {
				if check != nil || err != nil || receipt == "" {
					t.Errorf("check %v, notify %v", check, err)
				}
				return
			}
			// On a busy machine there may be no time left to ask for the cause.
			if says := tc.says; says == "kafka-acls" {
				retry(t, "notify", err, says)
			} else {
				retry(t, "notify", err, "siem kafka")
			}
			if check == nil || !strings.Contains(check.Error(), tc.says) || strings.Contains(check.Error(), canary) {
				t.Errorf("the check says %v", check)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := kafka.Config{Brokers: []string{"127.0.0.1:9092"}, Topic: topic}
	for name, spoil := range map[string]func(c *kafka.Config){
		"no broker": func(c *kafka.Config) { c.Brokers = nil }, "no port": func(c *kafka.Config) { c.Brokers = []string{"kafka"} }, "no topic": func(c *kafka.Config) { c.Topic = "" },
		"timeout": func(c *kafka.Config) { c.Timeout = time.Millisecond }, "small": func(c *kafka.Config) { c.MaxBytes = 1 },
		"mechanism": func(c *kafka.Config) { c.SASL = &kafka.SASL{Mechanism: "gssapi", User: "u", Password: canary} },
		"no user":   func(c *kafka.Config) { c.SASL = &kafka.SASL{Mechanism: kafka.Plain, Password: canary} },
		"ca":        func(c *kafka.Config) { c.TLS = &ocsf.TLS{CA: "/none"} },
	} {
		c := good
		spoil(&c)
		if _, err := kafka.New(c, kafka.Options{}); err == nil || !strings.HasPrefix(err.Error(), "siem kafka: ") || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%+v %#v", kafka.SASL{Password: canary}, kafka.SASL{Password: canary}); strings.Contains(text, canary) {
		t.Errorf("the password is shown: %s", text)
	}
}
