package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Queue holds the frames that wait, in order.
type Queue interface {
	// Sources lists the sources that have frames.
	Sources(ctx context.Context) ([]string, error)
	// Next is the oldest frame of a source, nil when none waits.
	Next(ctx context.Context, source string) (*Frame, error)
	// Sent forgets the frame, which was taken.
	Sent(ctx context.Context, f *Frame) error
	// News is closed when frames were added since it was asked for.
	News() <-chan struct{}
}

// SenderConfig says where frames go.
type SenderConfig struct {
	// URL is the central vigil's address, such as "https://vigil.example.com:8471".
	URL string
	// Collector is our name there, Key our secret.
	Collector string
	Key       []byte
	// TLS says whom to trust; nil trusts the system's authorities.
	TLS *tls.Config
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// SenderOptions are what code passes.
type SenderOptions struct {
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
}

// The waits between attempts, doubling from the first to the last, and how often the
// queue is looked at though nothing rang.
const (
	firstWait = 250 * time.Millisecond
	lastWait  = 30 * time.Second
	lookAgain = 10 * time.Second
	// sendTime bounds one frame, as long as the receiver waits for its body and its sink.
	sendTime = bodyTime + sinkTime + lastWait
	// turn is how many frames of a source are sent before another's turn comes.
	turn = 16
)

// Sender sends what a queue holds. It is for one goroutine.
type Sender struct {
	cfg    SenderConfig
	log    *slog.Logger
	url    string
	client *http.Client
}

// NewSender makes one. The error says what is wrong with the address.
func NewSender(cfg SenderConfig, opts SenderOptions) (*Sender, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the central address is no http or https address")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = cfg.TLS, true
	return &Sender{cfg: cfg, log: opts.Logger, url: strings.TrimSuffix(cfg.URL, "/") + Path, client: &http.Client{
		Transport: transport, Timeout: sendTime,
		// Who redirects is not the receiver.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// standing is how it stands with the frames of one source.
type standing struct {
	wait time.Duration
	// until is when a refused frame is offered again, said why it was refused.
	until time.Time
	said  string
}

// Run sends until ctx is cancelled, and then returns nil. What is not sent stays in the
// queue. A source that is refused, and one that brings without end, keep no other one
// waiting. A queue that fails, as on a full disk, is asked again after a while.
func (s *Sender) Run(ctx context.Context, q Queue) {
	defer s.client.CloseIdleConnections()
	all, said := map[string]*standing{}, ""
	for ctx.Err() == nil {
		news := q.News()
		sources, err := q.Sources(ctx)
		if err != nil {
			if ctx.Err() == nil && err.Error() != said {
				said = err.Error()
				s.log.Error("what is to be sent can't be listed; it is tried again", "error", said)
			}
			pause(ctx, nil, lookAgain)
			continue
		}
		said = ""
		next := lookAgain
		for _, source := range sources {
			st := all[source]
			if st == nil {
				st = &standing{}
				all[source] = st
			}
			if left := time.Until(st.until); left > 0 {
				next = min(next, left)
				continue
			}
			n, more, err := s.drain(ctx, q, source)
			var no *problem
			switch {
			case ctx.Err() != nil:
				return
			case errors.As(err, &no):
				if n > 0 {
					st.wait = 0 // it went on meanwhile
				}
				st.wait = max(no.retry, firstWait, min(2*st.wait, lastWait))
				st.until = time.Now().Add(st.wait)
				next = min(next, st.wait)
				if no.detail != st.said {
					st.said = no.detail
					s.log.Warn("batches wait: the central vigil does not take them", "source", source, "error", st.said)
				}
			case n > 0 && st.said != "":
				s.log.Info("batches are taken again", "source", source)
				*st = standing{}
			default:
				st.wait = 0
			}
			if more {
				next = 0
			}
		}
		pause(ctx, news, next)
	}
}

func pause(ctx context.Context, news <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-news:
	case <-t.C:
	}
}

// drain sends a source's frames until none is left, one is refused, which is a *problem,
// or it has had its turn: then there may be more. n counts those that were taken.
func (s *Sender) drain(ctx context.Context, q Queue, source string) (n int, more bool, err error) {
	for ; n < turn; n++ {
		f, err := q.Next(ctx, source)
		if err != nil {
			return n, false, &problem{detail: "what is to be sent can't be read: " + err.Error(), retry: lookAgain}
		}
		if f == nil {
			return n, false, nil
		}
		if err := s.Send(ctx, f); err != nil {
			return n, false, err
		}
		if err := q.Sent(ctx, f); err != nil {
			// It is sent again, and counts once.
			return n, false, &problem{detail: "what was sent can't be noted: " + err.Error(), retry: lookAgain}
		}
	}
	return n, true, nil
}

// Send sends one frame. nil says that it is durable at the other end.
func (s *Sender) Send(ctx context.Context, f *Frame) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(f.Body))
	if err != nil {
		return &problem{detail: "make a request: " + err.Error()}
	}
	sent := strconv.FormatInt(s.cfg.Now().Unix(), 10)
	for name, value := range map[string]string{
		"Content-Type": "application/vnd.vigil.frame", headerCollector: s.cfg.Collector, headerStream: f.Stream, headerSource: f.Source,
		headerSequence: strconv.FormatUint(f.Sequence, 10), headerPrevious: hex.EncodeToString(f.Previous[:]), headerSent: sent,
		headerSignature: hex.EncodeToString(sign(s.cfg.Key, s.cfg.Collector, sent, f)),
	} {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return &problem{detail: "reach the central vigil: " + err.Error()}
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1024)) // only what may say why
	if res.StatusCode == http.StatusNoContent {
		return nil
	}
	no := &problem{status: res.StatusCode}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		no.retry = min(max(time.Duration(seconds)*time.Second, 0), lastWait)
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		no.detail = fmt.Sprintf("the central vigil does not know collector %q by this key: set the same name and key on both sides", s.cfg.Collector)
	case res.StatusCode == http.StatusForbidden:
		no.detail = fmt.Sprintf("the central vigil expects no source %q of collector %q: add a source of that name with collector: %s there", f.Source, s.cfg.Collector, s.cfg.Collector)
	case res.StatusCode/100 == 3:
		no.detail = "the address redirects elsewhere, which is not followed: set the address right"
	default:
		no.detail = fmt.Sprintf("the central vigil answered %d: %.200q", res.StatusCode, strings.TrimSpace(string(text)))
	}
	return no
}
