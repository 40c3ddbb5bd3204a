// Package nats reads a stream of JetStream, the part of a NATS server that keeps
// messages.
//
// A durable pull consumer shows NATS's own tools how far the stream is read; where to go
// on is in the position that is committed with the events. A message is acknowledged only
// after the sink has taken it, and the server confirms the last acknowledgement of each
// batch. At a start the consumer is set to the first message that the sink has not taken;
// a message that comes again has the same id, made of the stream (with the time at which
// it was made, so that one made anew shares no id), and the message's sequence number.
//
// Told as lapses are: messages that were deleted before they were read, with their
// number where no subjects are picked out; a stream that was made anew or went back.
//
// Bounds: at most fetchMessages and fetchBytes (or one message) are asked for at once, and
// maxAckPending are not acknowledged; nothing is asked for while the sink blocks, and what
// is not acknowledged in ackWait comes again. A stream is for one reader: two with one
// durable take messages from each other.
// A NATS is for one Run at a time; Run has one goroutine beside those of the client.
package nats

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"vigil/collectors/decode"
)

const (
	// fetchMessages and fetchBytes bound what is asked for at once.
	fetchMessages = 1000
	fetchBytes    = 8 << 20
	// batchEvents and batchBytes bound what is handed over at once.
	batchEvents = 10_000
	batchBytes  = 8 << 20
	// maxAckPending bounds what the server hands out unacknowledged.
	maxAckPending = 4 * fetchMessages
	// ackWait is how long the server waits for an acknowledgement before it hands a
	// message out again.
	ackWait = time.Minute
	// fetchWait is how long a fetch waits for messages before other news is looked at.
	fetchWait = time.Second
	// askWait bounds a question to the server, away a lost connection.
	askWait = 10 * time.Second
	away    = 20 * time.Second
	// defaultLook is how often the stream is looked at.
	defaultLook = 30 * time.Second
)

// Where a source that was never read begins.
const (
	Earliest = "earliest"
	Latest   = "latest"
)

// Config says what is read.
type Config struct {
	// Decode says how messages are read; its Source is the source's name. Required.
	Decode decode.Config
	// URLs are the servers ("nats://host:4222", "tls://host:4222"). At least one.
	URLs []string
	// Stream is the stream's name. Required.
	Stream string
	// Subjects picks out messages by subject, with wildcards. Empty reads all.
	Subjects []string
	// Durable is the consumer's name. Empty means "vigil-" and the source's name.
	Durable string
	// Start is where a source begins that was never read: Earliest or Latest. Empty
	// means Earliest.
	Start string
	// TLS says how servers are trusted; nil uses TLS only where a server asks for it,
	// and then trusts what this machine trusts.
	TLS *tls.Config
	// Credentials is a file with a user's JWT and seed; User and Password, Token and
	// Seed (of an nkey) are the other ways to sign in. At most one of them.
	Credentials    string
	User, Password string
	Token          string
	Seed           string
}

// Options is what code passes.
type Options struct {
	// Logger takes what is worth a line. Required.
	Logger *slog.Logger
	// Now tells the time of arrival; nil means the clock.
	Now func() time.Time
	// Look is how often the stream is looked at. Zero means 30 seconds.
	Look time.Duration
}

// NATS is the collector.
type NATS struct {
	cfg    Config
	opts   Options
	signIn []natsgo.Option
}

// name is what JetStream accepts as the name of a stream or a consumer.
var name = regexp.MustCompile(`^[^\s.*>/\\]{1,255}$`)

// New makes a collector. The error names what in the configuration can't be used.
func New(cfg Config, opts Options) (*NATS, error) {
	if err := cfg.Decode.Check(); err != nil {
		return nil, err
	}
	n := &NATS{cfg: cfg, opts: opts}
	if len(cfg.URLs) == 0 {
		return nil, errors.New("no server is named")
	}
	if n.cfg.Durable == "" {
		n.cfg.Durable = "vigil-" + strings.ReplaceAll(cfg.Decode.Source, ".", "_")
	}
	for what, text := range map[string]string{"stream": cfg.Stream, "durable": n.cfg.Durable} {
		if !name.MatchString(text) {
			return nil, fmt.Errorf("%q is no name of a %s: it has no white space, \".\", \"*\", \">\" and slashes", text, what)
		}
	}
	if !slices.Contains([]string{"", Earliest, Latest}, cfg.Start) {
		return nil, fmt.Errorf("start %q is neither %q nor %q", cfg.Start, Earliest, Latest)
	}
	if opts.Logger == nil {
		return nil, errors.New("no logger is given")
	}
	if opts.Now == nil {
		n.opts.Now = time.Now
	}
	if opts.Look == 0 {
		n.opts.Look = defaultLook
	}
	if err := n.signing(); err != nil {
		return nil, err
	}
	return n, nil
}

// signing chooses how we sign in.
func (n *NATS) signing() error {
	ways := 0
	add := func(o natsgo.Option) {
		n.signIn = append(n.signIn, o)
		ways++
	}
	if n.cfg.Credentials != "" {
		add(natsgo.UserCredentials(n.cfg.Credentials))
	}
	if n.cfg.User != "" {
		add(natsgo.UserInfo(n.cfg.User, n.cfg.Password))
	}
	if n.cfg.Token != "" {
		add(natsgo.Token(n.cfg.Token))
	}
	if n.cfg.Seed != "" {
		pair, err := nkeys.FromSeed([]byte(n.cfg.Seed))
		if err != nil {
			return errors.New("the nkey's seed can't be read: it is the line that begins with SU")
		}
		public, err := pair.PublicKey()
		if err != nil {
			return errors.New("the nkey's seed holds no key")
		}
		add(natsgo.Nkey(public, pair.Sign))
	}
	if ways > 1 {
		return errors.New("there are several ways to sign in: keep one of credentials, user, token and nkey")
	}
	return nil
}
