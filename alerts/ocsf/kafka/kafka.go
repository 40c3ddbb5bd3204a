// Package kafka sends findings and cases as OCSF events to a topic of Kafka, for a SIEM
// that reads from there.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. An event is sent once all replicas that are in sync have it; the client
// sends idempotently, so that its own repetitions neither double nor reorder. What fails
// is a *alerts.RetryError: then, or after a kill in between, an event may be there twice,
// with the same metadata.uid, which is also in the header "uid". The key is the case's id,
// so that the events of a case are in one partition and in order. The client, which has
// goroutines of its own, is made by the first Notify and lasts until Close.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/ocsf"
)

// DefaultTimeout bounds one event.
const DefaultTimeout = 15 * time.Second

// question bounds how long it is asked why an event did not get through.
const question = 3 * time.Second

// The mechanisms of SASL.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// Config is what a user writes.
type Config struct {
	// Brokers are the first to ask, as host:port. At least one.
	Brokers []string `yaml:"brokers"`
	// Topic is where events go. It must be there. Required.
	Topic string `yaml:"topic"`
	// TLS says how brokers are trusted; nil connects without.
	TLS *ocsf.TLS `yaml:"tls"`
	// SASL is how we sign in; nil does not.
	SASL *SASL `yaml:"sasl"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds how long an event may take; zero means 15 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// SASL is a user with its password.
type SASL struct {
	// Mechanism is "plain", "scram-sha-256" or "scram-sha-512".
	Mechanism string      `yaml:"mechanism"`
	User      string      `yaml:"user"`
	Password  ocsf.Secret `yaml:"password"`
}

// Options is what code passes.
type Options struct {
	// Name tells several notifiers of this kind apart; empty means "siem-kafka".
	Name string
	// Console and Version are as in ocsf.Options.
	Console, Version string
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Notifier sends to one topic. It implements alerts.Notifier.
type Notifier struct {
	cfg  Config
	opts Options
	enc  *ocsf.Encoder
	with []kgo.Opt

	mu     sync.Mutex  // guards client
	client *kgo.Client // nil until it is needed
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier and reads the files of its TLS. It does not touch the network:
// Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if opts.Name == "" {
		opts.Name = "siem-kafka"
	}
	switch {
	case len(cfg.Brokers) == 0:
		return nil, errors.New("siem kafka: no broker is named")
	case cfg.Topic == "":
		return nil, errors.New("siem kafka: no topic is named")
	case cfg.Timeout < time.Second:
		return nil, fmt.Errorf("siem kafka: timeout %s is less than a second", cfg.Timeout)
	}
	for _, b := range cfg.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return nil, fmt.Errorf("siem kafka: broker %q is not host:port", b)
		}
	}
	enc, err := ocsf.New(ocsf.Options{Console: opts.Console, Version: opts.Version, MaxBytes: cfg.MaxBytes, Now: opts.Now})
	if err != nil {
		return nil, fmt.Errorf("siem kafka: max_bytes: %w", err)
	}
	n := &Notifier{cfg: cfg, opts: opts, enc: enc}
	with := []kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...), kgo.ClientID("vigil"), kgo.DefaultProduceTopic(cfg.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(cfg.Timeout), kgo.ProduceRequestTimeout(cfg.Timeout),
		kgo.UnknownTopicRetries(1), kgo.RetryTimeout(cfg.Timeout), kgo.Dialer(n.dial), kgo.ConnIdleTimeout(2 * time.Minute),
		// A new leader is to be known soon: the pipeline waits for each event.
		kgo.MaxBufferedRecords(100), kgo.MetadataMinAge(500 * time.Millisecond),
	}
	if cfg.TLS != nil {
		if _, err := cfg.TLS.Client(); err != nil {
			return nil, fmt.Errorf("siem kafka: %w", err)
		}
	}
	if cfg.SASL != nil {
		m, err := cfg.SASL.mechanism()
		if err != nil {
			return nil, err
		}
		with = append(with, kgo.SASL(m))
	}
	n.with = with
	if err := kgo.ValidateOpts(with...); err != nil {
		return nil, fmt.Errorf("siem kafka: set up the client: %w", err)
	}
	return n, nil
}

// dial connects, by TLS with its files as they are by then. Brokers are named by others
// of them: none is at an address that is never spoken to.
func (n *Notifier) dial(ctx context.Context, network, host string) (net.Conn, error) {
	to := outbound.Dialer(true)
	if n.cfg.TLS == nil {
		return to.DialContext(ctx, network, host)
	}
	t, err := n.cfg.TLS.Client()
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{NetDialer: to, Config: t}).DialContext(ctx, network, host)
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	user, pass := s.User, string(s.Password)
	switch {
	case user == "" || pass == "":
		return nil, errors.New("siem kafka: sasl wants a user and a password")
	case s.Mechanism == Plain:
		return plain.Auth{User: user, Pass: pass}.AsMechanism(), nil
	case s.Mechanism == ScramSHA256:
		return scram.Auth{User: user, Pass: pass}.AsSha256Mechanism(), nil
	case s.Mechanism == ScramSHA512:
		return scram.Auth{User: user, Pass: pass}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("siem kafka: sasl mechanism %q is none of %s, %s, %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)
}

// Name is the notifier's name.
func (n *Notifier) Name() string { return n.opts.Name }

// Close ends the connections. A later Notify makes new ones.
func (n *Notifier) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.client != nil {
		n.client.Close()
		n.client = nil
	}
	return nil
}

// producer is the client, made when it is first needed.
func (n *Notifier) producer() (*kgo.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.client == nil {
		cl, err := kgo.NewClient(n.with...)
		if err != nil {
			return nil, fmt.Errorf("siem kafka: set up the client: %w", err)
		}
		n.client = cl
	}
	return n.client, nil
}

// Notify sends the message's event and returns its uid. A message that a SIEM is not told
// is done with, without a receipt. Errors are *alerts.RetryError, or *alerts.RefusedError
// for what can't be an event or is too large for the topic.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	e, err := n.enc.Event(m)
	switch {
	case errors.Is(err, ocsf.ErrNoEvent):
		return "", nil
	case err != nil:
		return "", &alerts.RefusedError{Err: err, Remedy: "please report it, with the finding's ID"}
	}
	client, err := n.producer()
	if err != nil {
		return "", &alerts.RetryError{Err: err}
	}
	bounded, cancel := context.WithTimeout(ctx, n.cfg.Timeout)
	defer cancel()
	r := &kgo.Record{Key: []byte(e.Key), Value: e.JSON, Headers: []kgo.RecordHeader{
		{Key: "uid", Value: []byte(e.UID)}, {Key: "content-type", Value: []byte("application/json")},
	}}
	if err := client.ProduceSync(bounded, r).FirstErr(); err != nil {
		return "", n.failed(ctx, err)
	}
	return e.UID, nil
}

// failed says what an error means. What an operator can mend is retried as well: an event
// is not given up for it.
func (n *Notifier) failed(ctx context.Context, err error) error {
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
		return &alerts.RefusedError{Err: fmt.Errorf("siem kafka: the event is too large for topic %s", n.cfg.Topic), Remedy: "lower max_bytes, or raise the topic's max.message.bytes"}
	}
	// Refused by the broker it is not there; otherwise nobody knows.
	var refused *kerr.Error
	doubt := !errors.As(err, &refused)
	if doubt && ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrRecordTimeout)) {
		// The client waits until the time is up and does not say what for.
		ask, cancel := context.WithTimeout(ctx, question)
		defer cancel()
		if why := n.Check(ask); why != nil {
			return &alerts.RetryError{Err: why, InDoubt: true}
		}
	}
	return &alerts.RetryError{Err: n.explain(err), InDoubt: doubt}
}

// Check asks the brokers for the topic, and says what is missing with the command that
// mends it. It writes nothing.
func (n *Notifier) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timeout)
	defer cancel()
	// A client of its own, which says soon what is wrong rather than trying on.
	cl, err := kgo.NewClient(append(slices.Clone(n.with), kgo.RequestRetries(1))...)
	if err != nil {
		return fmt.Errorf("siem kafka: set up the client: %w", err)
	}
	defer cl.Close()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(n.cfg.Topic)
	req.Topics, req.IncludeTopicAuthorizedOperations = []kmsg.MetadataRequestTopic{t}, true
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return n.explain(err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return n.explain(err)
		}
		// The operations are bits, by their numbers; the least number is "not told".
		if ops := t.AuthorizedOperations; ops > 0 && ops&(1<<kmsg.ACLOperationWrite|1<<kmsg.ACLOperationAll) == 0 {
			return n.explain(kerr.TopicAuthorizationFailed)
		}
	}
	return nil
}

// explain puts the remedy to an error.
func (n *Notifier) explain(err error) error {
	broker := n.cfg.Brokers[0]
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("siem kafka: topic %s is not there, or may not be described; make it with\n  kafka-topics --bootstrap-server %s --create --topic %s", n.cfg.Topic, broker, n.cfg.Topic)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		who := "USER"
		if n.cfg.SASL != nil {
			who = n.cfg.SASL.User
		}
		return fmt.Errorf("siem kafka: topic %s may not be written; allow it with\n  kafka-acls --bootstrap-server %s --add --allow-principal User:%s --producer --topic %s", n.cfg.Topic, broker, alerts.Clean(who), n.cfg.Topic)
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.IllegalSaslState), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return errors.New("siem kafka: the brokers do not take the user and password: look at sasl.mechanism, sasl.user and sasl.password")
	case errors.As(err, &cert):
		return fmt.Errorf("siem kafka: the broker's certificate is not trusted: %s: look at tls.ca and tls.server_name", n.scrub(err))
	case errors.Is(err, io.EOF):
		return errors.New("siem kafka: the broker closed the connection: it may want tls or sasl, or neither, or not take the user and password")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kgo.ErrRecordTimeout):
		return fmt.Errorf("siem kafka: no broker took it within %s: %s", n.cfg.Timeout, n.scrub(err))
	}
	return fmt.Errorf("siem kafka: %s", n.scrub(err))
}

// scrub takes the password out of what others say.
func (n *Notifier) scrub(err error) string {
	s := err.Error()
	if n.cfg.SASL != nil {
		s = strings.ReplaceAll(s, string(n.cfg.SASL.Password), "[redacted]")
	}
	return alerts.Cut(alerts.Clean(s), 400)
}
