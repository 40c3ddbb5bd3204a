package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/slacktest"
	"vigil/alerts/webhook"
	"vigil/internal/ledger"
)

// receiver is a real server that takes webhooks. It keeps no connection, so that time
// can pass in a bubble of testing/synctest, whose clock it does not have.
type receiver struct {
	url string

	mu   sync.Mutex // guards told
	told map[string]bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{told: map[string]bool{}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var e struct {
			Data struct{ Case struct{ ID string } }
		}
		if body, err := io.ReadAll(req.Body); err != nil || json.Unmarshal(body, &e) != nil {
			t.Error("the webhook's event can't be read")
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told[e.Data.Case.ID] = true
	}))
	s.Config.SetKeepAlivesEnabled(false)
	s.Start()
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// exchange is everything between the detector and the channels: a real ledger, the
// dispatcher and the lanes, a Slack in memory, and a webhook as the fallback.
type exchange struct {
	t       *testing.T
	book    *casebook
	slack   *slacktest.Workspace
	hook    *receiver
	seq     uint64
	arrived map[string]time.Time // by case, as told
	told    map[string]time.Time // by anybody
	grave   map[string]vigil.Severity
	stop    func()
	deliver *alerts.Deliverer
	floods  []alerts.FloodNotice
}

const slackTokenInMemory = "xoxb-in-memory"

// newExchange must be called in a bubble; dir and hook are from outside it.
func newExchange(t *testing.T, dir string, hook *receiver, policy alerts.Policy) *exchange {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{t: t, slack: slacktest.New(slackTokenInMemory), hook: hook, arrived: map[string]time.Time{}, told: map[string]time.Time{}, grave: map[string]vigil.Severity{}}
	net := slacktest.NewMemory()
	server := &http.Server{Handler: x.slack, ReadHeaderTimeout: time.Minute}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(net) })
	client := net.Client()
	to, err := slack.New(slack.Config{Token: slackTokenInMemory, Channel: slacktest.Channel, APIURL: "http://slack.test/api/", Interactive: true, NoPictures: true}, slack.Options{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	x.book = newCasebook(l, newOutbox(l), time.Now)
	w := &ways{notifiers: []alerts.Notifier{to}}
	if hook != nil {
		other, err := webhook.New(webhook.Config{URL: webhook.Secret(hook.url), Secret: "a-secret-of-24-characters", AllowPrivate: true}, webhook.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.fallbacks = append(w.fallbacks, named(other, "hook"))
	}
	x.book.outbox.tell(w.notes())
	if err := x.book.use(t.Context(), policy, w.names()); err != nil {
		t.Fatal(err)
	}
	x.deliver, err = alerts.NewDeliverer(alerts.Config{}, alerts.Options{Outbox: x.book.outbox, Notifiers: w.notifiers, Fallbacks: w.fallbacks})
	if err != nil {
		t.Fatal(err)
	}
	a := &App{ledger: l, opts: Options{Now: time.Now}, logger: slog.New(slog.DiscardHandler)}
	dispatch := &dispatcher{
		book: x.book, logger: a.logger, called: strings.ToLower,
		flood: func(_ context.Context, n alerts.FloodNotice) error { x.floods = append(x.floods, n); return nil },
	}
	stop := stopAll(a.background(t.Context(), "delivery", x.deliver.Run), a.background(t.Context(), "bell", bell(l, x.deliver)), a.background(t.Context(), "dispatch", dispatch.run))
	x.stop = func() {
		if err := stop(t.Context()); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		_ = server.Close()
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	return x
}

// find has the detector find something about an actor.
func (x *exchange) find(actor string, severity vigil.Severity) {
	x.t.Helper()
	f := bulk("f-"+actor, actor, severity)
	now := time.Now()
	f.Start, f.End, f.Detected = now.Add(-time.Hour), now, now
	items, err := x.book.outbox.messages([]vigil.Finding{f})
	if err != nil {
		x.t.Fatal(err)
	}
	l := x.book.ledger
	if x.seq, err = l.AcceptTick(x.t.Context(), vigil.Tick{Watermark: now}); err != nil {
		x.t.Fatal(err)
	}
	if err := l.Apply(x.t.Context(), ledger.Applied{Seq: x.seq, Findings: []vigil.Finding{f}, Outbox: items}); err != nil {
		x.t.Fatal(err)
	}
	synctest.Wait()
	c, err := l.CaseOf(x.t.Context(), f.ID)
	if err != nil {
		x.t.Fatal(err)
	}
	x.arrived[c.ID], x.grave[c.ID] = now, severity
}

// card is a case's first message in Slack.
type card struct {
	id string
	at time.Time
}

// cards are the cards in Slack in the order in which they came, and how many are copies.
func (x *exchange) cards() (out []card, copies int) {
	seen := map[string]bool{}
	for _, m := range x.slack.Messages() {
		if m.Thread != "" {
			continue
		}
		for _, b := range m.BlockIDs() {
			id, _, ok := slack.CaseOf(b)
			switch {
			case !ok:
			case seen[id]:
				copies++
			default:
				seen[id] = true
				out = append(out, card{id, m.Posted})
			}
		}
	}
	return out, copies
}

// disorder is how many cards must be left out for the rest to come the worst first.
func (x *exchange) disorder(cards []card) int {
	best := make([]int, len(cards)) // longest run that ends here and never gets graver
	longest := 0
	for i := range cards {
		best[i] = 1
		for j := range i {
			if x.grave[cards[j].id].Rank() >= x.grave[cards[i].id].Rank() {
				best[i] = max(best[i], best[j]+1)
			}
		}
		longest = max(longest, best[i])
	}
	return len(cards) - longest
}

// look notes which cases are told by now, and reports how many are in Slack.
func (x *exchange) look() int {
	cards, _ := x.cards()
	for _, c := range cards {
		if _, ok := x.told[c.id]; !ok {
			x.told[c.id] = c.at
		}
	}
	x.hook.mu.Lock()
	defer x.hook.mu.Unlock()
	for id := range x.hook.told {
		if _, ok := x.told[id]; !ok {
			x.told[id] = time.Now()
		}
	}
	return len(cards)
}

// slowest is how long the case that waited longest waited to be told by anybody.
func (x *exchange) slowest() (worst time.Duration) {
	for id, came := range x.arrived {
		at, ok := x.told[id]
		if !ok {
			return 1 << 62
		}
		worst = max(worst, at.Sub(came))
	}
	return worst
}

var mixed = []vigil.Severity{vigil.SeverityMedium, vigil.SeverityCritical, vigil.SeverityLow, vigil.SeverityHigh}

// Whatever Slack answers, each case is told there once, the worst first, and by the
// fallback within a minute where Slack takes longer.
func TestSlackMisbehaves(t *testing.T) {
	t.Parallel()
	times := func(n int, f http.HandlerFunc) []http.HandlerFunc { return slices.Repeat([]http.HandlerFunc{f}, n) }
	for name, c := range map[string]struct {
		faults []http.HandlerFunc
		within time.Duration // for all of them, in Slack
	}{
		"wait 30":       {times(1, slacktest.Limited("30")), time.Minute},
		"wait an hour":  {times(1, slacktest.Limited("3600")), time.Hour + time.Minute},
		"twenty 500":    {times(20, slacktest.Status(500)), 15 * time.Minute},
		"hang":          {times(3, slacktest.Hang), 2 * time.Minute},
		"10 MB":         {times(1, slacktest.Huge), time.Minute},
		"wait 1":        {times(3, slacktest.Limited("1")), time.Minute},
		"wait a word":   {times(3, slacktest.Limited("soon")), time.Minute},
		"wait negative": {times(3, slacktest.Limited("-5")), time.Minute},
		"ratelimited":   {times(3, slacktest.Refused("ratelimited")), time.Minute},
		"a web page":    {times(3, slacktest.Page), time.Minute},
		"reset":         {times(3, slacktest.Reset), time.Minute},
	} {
		cases := 12
		if os.Getenv("VIGIL_TORTURE") == "" {
			if cases = 4; c.within > 2*time.Minute {
				continue
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, hook := t.TempDir(), newReceiver(t)
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				x := newExchange(t, dir, hook, alerts.Policy{})
				defer x.stop()
				x.slack.Script("chat.postMessage", c.faults...)
				for i := range cases {
					x.find(fmt.Sprint("actor-", i), mixed[i%len(mixed)])
				}
				for x.look() < cases && time.Since(began) < 2*time.Hour {
					<-time.After(time.Second)
				}
				took := time.Since(began)
				<-time.After(time.Minute)
				cards, copies := x.cards()
				if len(cards) != cases || copies != 0 || took > c.within {
					t.Errorf("%d of %d cases are told in Slack after %s, %d twice; want all within %s", len(cards), cases, took, copies, c.within)
				}
				slow, disorder := x.slowest(), x.disorder(cards)
				if slow > time.Minute || disorder > len(c.faults) {
					t.Errorf("a case waited %s to be told, and %d came after milder ones", slow, disorder)
				}
				t.Logf("all in Slack after %s, the slowest told anywhere after %s, %d out of order, %+v", took, slow, disorder, x.deliver.Stats()["slack"])
			})
		})
	}
}

// Slack is gone for ten minutes, in each way in which it can be. What came meanwhile is
// told by the fallback within a minute, and in Slack once it is back: each case once, the
// worst first, 19 of 20 within a minute.
func TestSlackIsGone(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]http.HandlerFunc{
		"reset": slacktest.Reset, "hang": slacktest.Hang, "503": slacktest.Status(http.StatusServiceUnavailable), "limited": slacktest.Limited("20"),
	} {
		gone, cases := 10*time.Minute, 20
		if os.Getenv("VIGIL_TORTURE") == "" {
			if gone, cases = 2*time.Minute, 8; name != "hang" {
				continue
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, hook := t.TempDir(), newReceiver(t)
			synctest.Test(t, func(t *testing.T) {
				x := newExchange(t, dir, hook, alerts.Policy{})
				defer x.stop()
				x.slack.Down(fault)
				began := time.Now()
				for i := 0; time.Since(began) < gone; <-time.After(time.Second) {
					if x.look(); i < cases && time.Since(began) >= time.Duration(i)*gone/time.Duration(cases) {
						x.find(fmt.Sprint("actor-", i), mixed[i%len(mixed)])
						i++
					}
				}
				x.slack.Down(nil)
				back := time.Now()
				for x.look() < cases && time.Since(back) < time.Hour {
					<-time.After(time.Second)
				}
				<-time.After(2 * time.Minute)
				cards, copies := x.cards()
				if len(cards) != cases || copies != 0 {
					t.Fatalf("%d of %d cases are told in Slack, %d twice", len(cards), cases, copies)
				}
				p95, last := cards[cases*95/100-1].at.Sub(back), cards[cases-1].at.Sub(back)
				slow, disorder := x.slowest(), x.disorder(cards)
				if p95 > time.Minute {
					t.Errorf("19 of 20 cases were told %s after Slack was back", p95)
				}
				// What was being tried when Slack came back rests once more.
				if slow > time.Minute || disorder > 2 {
					t.Errorf("a case waited %s to be told, and %d came after milder ones", slow, disorder)
				}
				t.Logf("first %s, 95%% %s, last %s after it was back; the slowest told anywhere after %s, %d out of order, %+v",
					cards[0].at.Sub(back), p95, last, slow, disorder, x.deliver.Stats()["slack"])
			})
		})
	}
}
