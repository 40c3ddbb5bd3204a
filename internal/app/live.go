package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"vigil/alerts"
	"vigil/alerts/slack/talk"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

const (
	// liveTime bounds each check.
	liveTime = 20 * time.Second
	// liveAtOnce bounds the checks that run side by side.
	liveAtOnce = 8
)

// LiveCheck is what trying one thing has shown.
type LiveCheck struct {
	// What is tried: "data_dir", "source NAME", "slack", ...
	What string `json:"what"`
	OK   bool   `json:"ok"`
	// Problem says what is missing (a right, a setting, the network), with the remedy.
	// Note says what is well and yet worth knowing. Both may be empty.
	Problem string `json:"problem,omitempty"`
	Note    string `json:"note,omitempty"`
}

// checker is what can be tried.
type checker interface {
	Check(ctx context.Context) error
}

// trial is one thing to try; note says what is well and yet worth knowing.
type trial struct {
	what string
	try  func(ctx context.Context) (note string, err error)
}

// CheckLive tries everything that a configuration names: it connects to each source, to
// Slack and InfluxDB, and looks at folders and certificates. It reads as little as shows
// that reading works, and keeps and tells nothing; what comes is in the configuration's
// order.
func CheckLive(ctx context.Context, cfg *config.Config) []LiveCheck {
	tries := []trial{{"data_dir", func(context.Context) (string, error) { return tryFolder(cfg.DataDir, int64(cfg.DiskFloor)) }}}
	add := func(what string, try func(ctx context.Context) (string, error)) {
		tries = append(tries, trial{what, try})
	}
	if cfg.PushTLS != nil {
		add("push_tls", func(context.Context) (string, error) { return tryCertificate(cfg.PushTLS) })
	}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		add("source "+s.Name, func(ctx context.Context) (string, error) { return trySource(ctx, s) })
	}
	if cfg.Slack.Token.IsSet() {
		add("slack", func(ctx context.Context) (string, error) { return trySlack(ctx, cfg) })
	}
	for i := range cfg.Alerts.Channels {
		c := &cfg.Alerts.Channels[i]
		add("channel "+c.Name, func(ctx context.Context) (string, error) {
			n, err := liveMaker().channel(cfg, c)
			if err != nil {
				return "", err
			}
			return tryNotifier(ctx, n)
		})
	}
	if cfg.Alerts.Templates != "" {
		add("alerts.templates", func(context.Context) (string, error) {
			t, err := templatesOf(cfg)
			if err != nil {
				return "", err
			}
			return "", t.Problem()
		})
	}
	if cfg.Influx.URL != "" {
		add("influx", func(ctx context.Context) (string, error) { return tryInflux(ctx, cfg) })
	}
	out := make([]LiveCheck, len(tries))
	var group errgroup.Group
	group.SetLimit(liveAtOnce)
	for i, t := range tries {
		group.Go(func() error {
			out[i] = t.run(ctx)
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	return out
}

func (t trial) run(ctx context.Context) (c LiveCheck) {
	c.What = t.what
	defer func() {
		if r := recover(); r != nil {
			c.OK, c.Problem = false, fmt.Sprintf("the check broke: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	note, err := t.try(ctx)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			err = fmt.Errorf("it did not answer within %s: is the address right, and may this machine reach it? %w", liveTime, err)
		}
		c.Problem = err.Error()
		return c
	}
	c.OK, c.Note = true, note
	return c
}

// tryFolder looks whether the data folder can be written, or made, and has room.
func tryFolder(dir string, floor int64) (note string, err error) {
	at := dir
	for {
		info, err := os.Stat(at)
		if err == nil {
			if !info.IsDir() {
				return "", fmt.Errorf("%s is no folder: name another one, or move it away", at)
			}
			break
		}
		if !os.IsNotExist(err) {
			return "", fmt.Errorf("%w; let vigil's user in, or name another folder", err)
		}
		if at == filepath.Dir(at) {
			return "", err
		}
		at = filepath.Dir(at)
	}
	probe, err := os.CreateTemp(at, ".vigil-check-*")
	if err != nil {
		return "", fmt.Errorf("%s can't be written: make it vigil's with: install -d -m 700 -o vigil %s", at, dir)
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	free, err := ledger.FreeOn(at)
	if err != nil {
		return "", err
	}
	if free < floor {
		return "", fmt.Errorf("only %d MB of its disk are free, and disk_floor is %d MB: make room, or nothing is taken in", free>>20, floor>>20)
	}
	if at != dir {
		note = "it will be made; "
	}
	return note + fmt.Sprintf("%d GB free", free>>30), nil
}

func tryCertificate(t *config.ServerTLS) (note string, err error) {
	if _, err := serverTLS(t); err != nil {
		return "", err
	}
	note = certificateNote(t, time.Now())
	if strings.Contains(note, "ran out") {
		return "", errors.New(note + " Renew it; it is read again by itself.")
	}
	return note, nil
}

func trySource(ctx context.Context, s *config.Source) (note string, err error) {
	switch way := s.Way(); way {
	case "push", "otlp":
		return "waits to be sent to", nil
	case "collector":
		return fmt.Sprintf("waits for collector %s", s.Collector), nil
	}
	c, err := collectorOf(s, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	if try, ok := c.(checker); ok {
		return "", try.Check(ctx)
	}
	return "can't be tried without reading it", nil
}

func liveMaker() *maker {
	return &maker{logger: slog.New(slog.DiscardHandler), now: time.Now}
}

// trySlack tries the token and the channel, and what answers people there.
func trySlack(ctx context.Context, cfg *config.Config) (note string, err error) {
	n, err := liveMaker().slack(cfg, cfg.Slack.Channel)
	if err != nil {
		return "", err
	}
	if note, err = tryNotifier(ctx, n); err != nil || !interactive(cfg) {
		return note, err
	}
	t, err := newTalk(cfg, "", talk.Options{Desk: nobody{}})
	if err != nil {
		return note, err
	}
	return note, t.Check(ctx)
}

// nobody does no deeds.
type nobody struct{}

// Do implements alerts.Desk.
func (nobody) Do(context.Context, alerts.Act) (alerts.Outcome, error) {
	return alerts.Outcome{}, alerts.ErrNotDone
}

func tryInflux(ctx context.Context, cfg *config.Config) (note string, err error) {
	w, err := newWriter(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer w.Close()
	return "", w.Check(ctx)
}
