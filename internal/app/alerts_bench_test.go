package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/slacktest"
	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/traffic"
)

// busyFor is how long the service is kept busy for a measurement, busyRate with how many
// events a second.
const (
	busyFor  = 25 * time.Second
	busyRate = 20_000
)

const benchSecret = "a-signing-secret-for-benchmarks"

// busy is a whole service that takes and judges events at busyRate, and a Slack that
// notes when it is told.
type busy struct {
	*app.App
	slack *slacktest.Workspace
	// stop ends it, and tells how many events a second it took.
	stop func() (rate float64)
}

func newBusy(b *testing.B) *busy {
	b.Helper()
	const perRequest = 1_000
	var all bytes.Buffer
	if _, err := traffic.Write(&all, traffic.Config{Events: busyRate * 25, Actors: 1_000, Days: 28, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	for lines := slices.Collect(bytes.Lines(all.Bytes())); len(lines) >= perRequest; lines = lines[perRequest:] {
		bodies = append(bodies, bytes.Join(lines[:perRequest], nil))
	}
	x := &busy{slack: slacktest.New(slackToken)}
	server := httptest.NewServer(x.slack)
	b.Cleanup(server.Close)
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen = filepath.Join(b.TempDir(), "data"), "127.0.0.1:0"
	cfg.Sources = []config.Source{{Name: "bot", Push: &config.Push{Token: config.NewSecret(token)}}}
	cfg.Slack = config.Slack{
		Token: config.NewSecret(slackToken), Channel: slacktest.Channel, APIURL: server.URL + "/api", SigningSecret: config.NewSecret(benchSecret), NoPictures: true,
	}
	cfg.Users = []config.User{{Name: "ann", Roles: []access.Role{access.RoleAnalyst}, Slack: "U0ANN"}}
	a, err := app.New(cfg, app.Options{Output: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	x.App = a
	ctx, cancel := context.WithCancel(b.Context())
	began := time.Now()
	var next, taken atomic.Int64
	var senders sync.WaitGroup
	tick := time.NewTicker(time.Second * perRequest / busyRate)
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if x.push(b, bodies[int(next.Add(1))%len(bodies)]) {
					taken.Add(1)
				}
			}
		})
	}
	x.stop = func() float64 {
		cancel()
		senders.Wait()
		tick.Stop()
		took := time.Since(began)
		if err := a.Stop(b.Context()); err != nil {
			b.Error(err)
		}
		return float64(taken.Load()*perRequest) / took.Seconds()
	}
	return x
}

// push reports whether events are taken: a service that is at its limit asks to come back.
func (x *busy) push(b *testing.B, body []byte) bool {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, x.PushURL(), bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Error(err)
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	switch res.StatusCode {
	case http.StatusAccepted:
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		b.Errorf("answered %d", res.StatusCode)
	}
	return false
}

// opened waits until Slack was told of what an actor did, and returns when.
func (x *busy) opened(b *testing.B, actor string) *slacktest.Message {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		for _, m := range x.slack.Messages() {
			if strings.Contains(m.Blocks, actor) {
				return &m
			}
		}
	}
	b.Fatalf("nobody is told of %s", actor)
	return nil
}

// From when a critical finding is handed to the ledger until the request that tells it reaches Slack,
// while the service takes and judges 20,000 events a second.
func BenchmarkAlertLatency(b *testing.B) {
	for b.Loop() {
		x := newBusy(b)
		var waits []time.Duration
		for began, i := time.Now(), 0; time.Since(began) < busyFor; i++ {
			f := decoy(i, vigil.SeverityCritical)
			since := time.Now()
			app.Find(b, x.App, f)
			waits = append(waits, x.opened(b, f.Actor).Posted.Sub(since))
			<-time.After(1300 * time.Millisecond) // Slack's own limit is not what is measured
		}
		rate := x.stop()
		report(b, waits)
		b.ReportMetric(rate, "events/s")
	}
}

// From a press of a button, signed and posted as Slack does, until the change is durable
// in the ledger, and until the press is answered, while the service takes and judges
// 20,000 events a second.
func BenchmarkPress(b *testing.B) {
	for b.Loop() {
		x := newBusy(b)
		const cases = 200
		for i := range cases {
			app.Find(b, x.App, decoy(i, vigil.SeverityCritical))
		}
		for app.Undecided(b, x.App) > 0 {
			<-time.After(20 * time.Millisecond)
		}
		began := time.Now()
		var waits, answers []time.Duration
		for i, c := range app.Cases(b, x.App) {
			p := slacktest.Press{User: "U0ANN", Action: slack.ActionAcknowledge, Value: c.ID, Block: slack.BlockOf(&c), Message: "1.2", Serial: i}
			r, err := p.Request(x.URL()+"/slack/actions", benchSecret, time.Now())
			if err != nil {
				b.Fatal(err)
			}
			pressed := time.Now()
			res, err := http.DefaultClient.Do(r.WithContext(b.Context()))
			if err != nil {
				b.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Fatal(fmt.Errorf("a press is answered %d", res.StatusCode))
			}
			answers = append(answers, time.Since(pressed))
			for app.Case(b, x.App, c.ID).State != vigil.CaseAcknowledged {
				<-time.After(time.Millisecond)
			}
			waits = append(waits, time.Since(pressed))
			if rest := time.Duration(i+1)*busyFor/cases - time.Since(began); rest > 0 {
				<-time.After(rest)
			}
		}
		rate := x.stop()
		report(b, waits)
		slices.Sort(answers)
		b.ReportMetric(ms(answers[len(answers)*99/100]), "answer-p99-ms")
		b.ReportMetric(rate, "events/s")
	}
}

func report(b *testing.B, waits []time.Duration) {
	b.Helper()
	slices.Sort(waits)
	b.ReportMetric(ms(waits[len(waits)/2]), "p50-ms")
	b.ReportMetric(ms(waits[len(waits)*99/100]), "p99-ms")
	b.ReportMetric(float64(len(waits)), "n")
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
