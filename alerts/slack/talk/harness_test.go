package talk_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
)

const (
	botToken = talktest.BotToken
	appToken = talktest.AppToken
	secret   = talktest.Secret
	console  = talktest.Console
	patient  = talktest.Patient
)

// epoch is when the tests are.
var epoch = time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC)

// desk is a desk that does what a test says.
type desk struct {
	acts chan alerts.Act
	mu   sync.Mutex // guards do
	do   func(context.Context, alerts.Act) (alerts.Outcome, error)
}

func (d *desk) Do(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
	d.mu.Lock()
	do := d.do
	d.mu.Unlock()
	out, err := do(ctx, a)
	d.acts <- a
	return out, err
}

func (d *desk) will(do func(context.Context, alerts.Act) (alerts.Outcome, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do = do
}

func (d *desk) next(t testing.TB) alerts.Act {
	t.Helper()
	select {
	case a := <-d.acts:
		return a
	case <-time.After(patient):
		t.Fatal("the desk was not asked")
		return alerts.Act{}
	}
}

func (d *desk) none(t testing.TB) {
	t.Helper()
	select {
	case a := <-d.acts:
		t.Fatalf("the desk was asked: %+v", a)
	default:
	}
}

// room is a workspace, a desk, and the Talk between them.
type room struct {
	*talktest.Workspace
	desk *desk
	talk *talk.Talk
	logs *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newRoom makes one whose waits are long enough for what a test does not delay.
func newRoom(t testing.TB, over string) *room {
	t.Helper()
	r := &room{Workspace: talktest.New(t), logs: &syncBuffer{}}
	r.desk = &desk{acts: make(chan alerts.Act, 1000), do: answers}
	var err error
	r.talk, err = talk.New(talk.Config{
		BotToken: botToken, AppToken: appToken, SigningSecret: secret, APIURL: r.URL + "/api/", ConsoleURL: console,
	}, talk.Options{
		Desk: r.desk, Logger: slog.New(slog.NewTextHandler(r.logs, nil)), Now: func() time.Time { return epoch },
		Mention: func(by string) string {
			if by == "actor-0a11ce" {
				return "U0ALICE"
			}
			return by // no member's id: it is shown as it is
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.talk.Waits(patient, patient, patient, func(ctx context.Context, d time.Duration) error { return ctx.Err() })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patient)
		defer cancel()
		if err := r.talk.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, s := range []string{"canary", "xoxb-", "xapp-", "panic"} {
			if strings.Contains(r.logs.String(), s) {
				t.Errorf("the log holds %q:\n%s", s, r.logs)
			}
		}
	})
	if over == "http" {
		srv := httptest.NewServer(r.talk.Handler())
		t.Cleanup(srv.Close)
		r.Way = &talktest.OverHTTP{URL: srv.URL, Now: func() time.Time { return epoch }}
		return r
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.talk.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	r.Way = &talktest.OverSocket{Workspace: r.Workspace, Sock: r.NewSock(t)}
	return r
}

// eachWay runs a test over both ways.
func eachWay(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	for _, over := range []string{"http", "socket"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			test(t, newRoom(t, over))
		})
	}
}

func failing(err error) func(context.Context, alerts.Act) (alerts.Outcome, error) {
	return func(context.Context, alerts.Act) (alerts.Outcome, error) { return alerts.Outcome{}, err }
}

var errInner = errors.New("constraint failed: UNIQUE in table cases " + botToken)
