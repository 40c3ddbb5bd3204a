package nats

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connection is one to the servers.
type connection struct {
	*natsgo.Conn
	js jetstream.JetStream
	// refused is the last thing that was not allowed: the server tells it apart from
	// the answer, which never comes.
	refused *atomic.Pointer[string]
	// subjects are those that the stream takes.
	subjects []string
}

func (c *connection) close() { c.Close() }

// dialer connects until a context ends: the client tries server after server, and knows of
// no context.
type dialer struct {
	ctx context.Context //nolint:containedctx // of the run, whose connections it makes
	net.Dialer
}

// Dial implements natsgo.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(d.ctx, network, address)
}

// connect connects, within the time that one question may take for each server. Once ctx
// has ended, no further one is tried.
func (n *NATS) connect(ctx context.Context) (*connection, error) {
	refused := &atomic.Pointer[string]{}
	opts := append([]natsgo.Option{
		natsgo.Name("vigil " + n.cfg.Decode.Source), natsgo.Timeout(askWait), natsgo.ReconnectWait(500 * time.Millisecond), natsgo.MaxReconnects(-1),
		natsgo.SetCustomDialer(&dialer{ctx, net.Dialer{Timeout: askWait}}), natsgo.SkipHostLookup(), // which the dialer does
		natsgo.PingInterval(20 * time.Second), natsgo.MaxPingsOutstanding(2), natsgo.ReconnectBufSize(-1),
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) {
			if errors.Is(err, natsgo.ErrPermissionViolation) {
				text := err.Error()
				refused.Store(&text)
			}
		}),
	}, n.signIn...)
	if n.cfg.TLS != nil {
		opts = append(opts, natsgo.Secure(n.cfg.TLS))
	}
	nc, err := natsgo.Connect(strings.Join(n.cfg.URLs, ","), opts...)
	if err != nil {
		return nil, n.explain(nil, fmt.Errorf("connect to NATS: %w", err))
	}
	if ctx.Err() != nil {
		nc.Close()
		return nil, ctx.Err()
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(askWait))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("set up JetStream: %w", err)
	}
	return &connection{Conn: nc, js: js, refused: refused}, nil
}

// Check connects, reads nothing, and says what is missing with the setting that mends it.
func (n *NATS) Check(ctx context.Context) error {
	c, err := n.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := n.stream(ctx, c); err != nil {
		return err
	}
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	consumer, err := c.js.Consumer(ask, n.cfg.Stream, n.cfg.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil // Run makes it
	}
	if err != nil {
		return n.explain(c, fmt.Errorf("look at consumer %s: %w", n.cfg.Durable, err))
	}
	return n.fits(consumer.CachedInfo().Config)
}

// stream asks for the stream.
func (n *NATS) stream(ctx context.Context, c *connection) (*jetstream.StreamInfo, error) {
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	s, err := c.js.Stream(ask, n.cfg.Stream)
	if err != nil {
		return nil, n.explain(c, fmt.Errorf("look at stream %s: %w", n.cfg.Stream, err))
	}
	info := s.CachedInfo()
	c.subjects = info.Config.Subjects
	return info, nil
}

// everything says whether all messages of the stream are read.
func (n *NATS) everything(subjects []string) bool {
	return len(n.cfg.Subjects) == 0 || slices.Contains(n.cfg.Subjects, ">") ||
		slices.Equal(slices.Sorted(slices.Values(n.cfg.Subjects)), slices.Sorted(slices.Values(subjects)))
}

// permissions are the subjects that the user needs, as a server's configuration has them.
func (n *NATS) permissions() string {
	s, d := n.cfg.Stream, n.cfg.Durable
	return fmt.Sprintf(`publish: ["$JS.API.STREAM.INFO.%[1]s", "$JS.API.CONSUMER.INFO.%[1]s.%[2]s", "$JS.API.CONSUMER.CREATE.%[1]s.%[2]s", `+
		`"$JS.API.CONSUMER.CREATE.%[1]s.%[2]s.>", "$JS.API.CONSUMER.RESET.%[1]s.%[2]s", "$JS.API.CONSUMER.DELETE.%[1]s.%[2]s", `+
		`"$JS.API.CONSUMER.MSG.NEXT.%[1]s.%[2]s", "$JS.ACK.%[1]s.%[2]s.>"], subscribe: ["_INBOX.>"]`, s, d)
}

// explain adds to an error of the client what to do about it. c may be nil.
func (n *NATS) explain(c *connection, err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var cert *tls.CertificateVerificationError
	if c != nil {
		if text := c.refused.Swap(nil); text != nil {
			return fmt.Errorf("%w: not allowed (%.300q); the user needs\n  %s", err, *text, n.permissions())
		}
	}
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: correct the stream's name, or make it with\n  nats stream add %s", err, n.cfg.Stream)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, natsgo.ErrNoResponders):
		return fmt.Errorf("%w: JetStream is not switched on for this server or account", err)
	case errors.Is(err, natsgo.ErrAuthorization), errors.Is(err, natsgo.ErrAuthExpired), errors.Is(err, natsgo.ErrAuthRevoked):
		return fmt.Errorf("%w: look at credentials, user and password, token or nkey, whichever is used", err)
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &cert):
		return fmt.Errorf("trust the server: %w: look at tls.ca and tls.server_name", err)
	case errors.Is(err, natsgo.ErrSecureConnRequired), errors.Is(err, natsgo.ErrSecureConnWanted):
		return fmt.Errorf("%w: one side wants TLS and the other has none; look at tls and the scheme of urls", err)
	case errors.Is(err, natsgo.ErrNoServers):
		return fmt.Errorf("%w: no server answers; look at the network and at urls", err)
	}
	return err
}
