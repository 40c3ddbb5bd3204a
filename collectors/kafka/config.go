// Package kafka reads topics of Kafka, and of what speaks its protocol.
//
// A consumer group says which partitions are ours and shows Kafka's own tools how far
// they are read; where to go on is in the position that is committed with the events.
// The group's offsets are committed only after the sink has taken the records. What is
// polled is handed over, and committed, before a partition moves to another member, so
// that a move in good order loses and doubles nothing; only records of committed
// transactions are read. An event's id is made of its topic (with the id that Kafka gave
// the topic, which a topic made anew does not share), partition and offset.
//
// Gaps in offsets are normal (compaction, transactions) and not told. Told as lapses
// are: offsets that retention deleted before they were read, a log that was cut back,
// a topic that was made anew or is gone.
//
// Bounds: one fetch holds fetchBytes packed, or one batch of records where that is
// larger, and at most fetches of them are held; what batches of records
// unpack to is bounded by unpackRatio times their size and unpackSpare for all that pack
// better, and one that exceeds it is set aside. Nothing is polled while the sink
// blocks, and the group waits for it up to the rebalance time-out; a member that is
// expelled after that begins anew from its position. At most maxPartitions are read.
// A Kafka is for one Run at a time; Run has one goroutine beside those of the client.
package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"vigil/collectors/decode"
)

const (
	// fetchBytes bounds one fetch from one broker, partitionBytes a partition's part.
	fetchBytes     = 1 << 20
	partitionBytes = 512 << 10
	// fetches bounds how many are under way or held at once.
	fetches = 3
	// maxPartitions bounds what one source reads.
	maxPartitions = 1024
	// batchRecords, batchEvents and batchBytes bound what is handed over at once.
	batchRecords = 4096
	batchEvents  = 10_000
	batchBytes   = 8 << 20
	// pollWait is how long a poll waits for records before other news is looked at.
	pollWait = time.Second
	// adminWait bounds a question to the cluster, commitWait a commit to the group.
	adminWait  = 20 * time.Second
	commitWait = 5 * time.Second
	// commitPause is how long commits are left off after one failed.
	commitPause = 10 * time.Second
	// defaultLook is how often the cluster is asked whether the topics are well.
	defaultLook = 30 * time.Second
)

// Where a source that was never read begins.
const (
	Earliest = "earliest"
	Latest   = "latest"
)

// The mechanisms of SASL.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// Config says what is read.
type Config struct {
	// Decode says how messages are read; its Source is the source's name. Required.
	Decode decode.Config
	// Brokers are the first to ask, as host:port. At least one.
	Brokers []string
	// Topics names the topics. Either they or Pattern, which is a regular expression
	// that a topic's whole name must match.
	Topics  []string
	Pattern string
	// Group is the consumer group. Empty means "vigil-" and the source's name.
	Group string
	// Start is where a source begins that was never read, neither by us nor by the
	// group: Earliest or Latest. Empty means Earliest. A partition or topic that comes
	// later is read from its beginning.
	Start string
	// TLS says how brokers are trusted; nil connects without.
	TLS *tls.Config
	// SASL is how we sign in; nil does not.
	SASL *SASL
}

// SASL is a user with its password.
type SASL struct {
	// Mechanism is Plain, ScramSHA256 or ScramSHA512.
	Mechanism string
	User      string
	Password  string
}

// Options is what code passes.
type Options struct {
	// Logger takes what is worth a line. Required.
	Logger *slog.Logger
	// Now tells the time of arrival; nil means the clock.
	Now func() time.Time
	// Look is how often the cluster is asked whether the topics are well. Zero means
	// 30 seconds.
	Look time.Duration
}

// Kafka is the collector.
type Kafka struct {
	cfg     Config
	opts    Options
	pattern *regexp.Regexp
	signIn  sasl.Mechanism
}

// New makes a collector. The error names what in the configuration can't be used.
func New(cfg Config, opts Options) (*Kafka, error) {
	if err := cfg.Decode.Check(); err != nil {
		return nil, err
	}
	k := &Kafka{cfg: cfg, opts: opts}
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("no broker is named")
	}
	if (len(cfg.Topics) == 0) == (cfg.Pattern == "") {
		return nil, errors.New("name topics or a pattern of their names, not both")
	}
	if cfg.Pattern != "" {
		var err error
		if k.pattern, err = regexp.Compile(whole(cfg.Pattern)); err != nil {
			return nil, fmt.Errorf("read the pattern of topics: %w", err)
		}
	}
	if k.cfg.Group == "" {
		k.cfg.Group = "vigil-" + cfg.Decode.Source
	}
	if !slices.Contains([]string{"", Earliest, Latest}, cfg.Start) {
		return nil, fmt.Errorf("start %q is neither %q nor %q", cfg.Start, Earliest, Latest)
	}
	if opts.Now == nil {
		k.opts.Now = time.Now
	}
	if opts.Look == 0 {
		k.opts.Look = defaultLook
	}
	if opts.Logger == nil {
		return nil, errors.New("no logger is given")
	}
	if s := cfg.SASL; s != nil {
		switch s.Mechanism {
		case Plain:
			k.signIn = plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()
		case ScramSHA256:
			k.signIn = scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()
		case ScramSHA512:
			k.signIn = scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()
		default:
			return nil, fmt.Errorf("sasl mechanism %q is none of %s, %s, %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)
		}
	}
	return k, nil
}

// whole makes a pattern match whole names only.
func whole(pattern string) string { return "^(?:" + pattern + ")$" }

// client are the options of every client.
func (k *Kafka) client() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(k.cfg.Brokers...), kgo.ClientID("vigil"), kgo.DialTimeout(10 * time.Second),
		kgo.ConnIdleTimeout(2 * time.Minute), kgo.RequestTimeoutOverhead(15 * time.Second),
	}
	if k.cfg.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(k.cfg.TLS))
	}
	if k.signIn != nil {
		opts = append(opts, kgo.SASL(k.signIn))
	}
	return opts
}

// admin makes a client that asks questions; it gives up soon, to say why.
func (k *Kafka) admin() (*kgo.Client, error) {
	cl, err := kgo.NewClient(append(k.client(), kgo.RequestRetries(3), kgo.RetryTimeout(adminWait/2))...)
	if err != nil {
		return nil, fmt.Errorf("set up the client: %w", err)
	}
	return cl, nil
}

// subscription names what is read, for messages.
func (k *Kafka) subscription() string {
	if k.pattern != nil {
		return fmt.Sprintf("topics that match %q", k.cfg.Pattern)
	}
	return "topics " + strings.Join(k.cfg.Topics, ", ")
}

// reads says whether a topic is among those that are read.
func (k *Kafka) reads(name string) bool {
	if k.pattern != nil {
		return k.pattern.MatchString(name)
	}
	return slices.Contains(k.cfg.Topics, name)
}
