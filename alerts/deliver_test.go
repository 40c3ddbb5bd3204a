package alerts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"vigil"
	"vigil/alerts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWorstFirstOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		for i, s := range []vigil.Severity{"low", "critical", "medium", "high", "critical"} {
			o.add(finding(fmt.Sprintf("f%d", i), 1, s))
			pass(time.Second)
		}
		n := &notifier{name: "slack", pace: 2 * time.Second}
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		pass(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"f1/1", "f4/1", "f3/1", "f2/1", "f0/1"}, n.ids()); diff != "" {
			t.Error(diff)
		}
		for i := 1; i < len(n.at); i++ {
			if gap := n.at[i].Sub(n.at[i-1]); gap < 2*time.Second || gap > 5*time.Second {
				t.Errorf("gap %v", gap)
			}
		}
		if st := d.Stats()["slack"]; st.Sent != 5 || st.Retries != 0 || len(n.errs) > 0 {
			t.Errorf("stats %+v, %v", st, n.errs)
		}
	})
}

// TestRevisionEdits: the next revision comes with the first one's receipt, and
// replaces one that is not yet told.
func TestRevisionEdits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		n := &notifier{name: "slack"}
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		o.add(finding("f", 1, "low"))
		d.Wake()
		synctest.Wait()
		o.add(finding("f", 2, "low"))
		o.add(finding("f", 3, "low"))
		d.Wake()
		synctest.Wait()
		stop()
		if diff := cmp.Diff([]string{"f/1", "f/3"}, n.ids()); diff != "" {
			t.Error(diff)
		}
		if n.got[0].Receipt != "" || n.got[1].Receipt != "r1" {
			t.Errorf("receipts %q, %q", n.got[0].Receipt, n.got[1].Receipt)
		}
	})
}

// TestOutage: ten minutes without Slack. All is delivered within a minute of its
// return, the worst first, the fallback printed each message once after a
// minute, and Slack was not hammered.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const messages = 200
		o := newOutbox()
		began := time.Now()
		var calls int
		n := &notifier{name: "slack", send: func(_ context.Context, i int, _ alerts.Message) (string, error) {
			if time.Since(began) < 10*time.Minute {
				calls++
				return "", &alerts.RetryError{Err: errors.New("unreachable")}
			}
			return fmt.Sprint(i), nil
		}}
		fb := &notifier{name: "terminal"}
		var log bytes.Buffer
		severities := []vigil.Severity{"low", "medium", "high", "critical"}
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}, Seed: 7,
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for i := range messages {
			o.add(finding(fmt.Sprintf("f%d", i), 1, severities[i%4]))
			d.Wake()
			pass(500 * time.Millisecond)
		}
		pass(time.Until(began.Add(11 * time.Minute)))
		stop()
		if o.left() != 0 || len(n.got) != messages {
			t.Fatalf("%d left, %d delivered", o.left(), len(n.got))
		}
		if calls < 15 || calls > 60 {
			t.Errorf("%d calls in ten minutes of outage", calls)
		}
		if ids := fb.ids(); len(ids) != messages {
			t.Errorf("the fallback printed %d", len(ids))
		}
		// What was tried while Slack was away may rest for a moment longer; the
		// rest comes in order.
		rank := 4
		var late int
		for _, m := range n.got {
			if r := m.Finding.Severity.Rank(); r > rank {
				late++
			} else {
				rank = r
			}
		}
		if late > 3 {
			t.Errorf("%d messages came after milder ones", late)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d log lines, want one when it fails and one when it works:\n%s", lines, log.String())
		}
		if st := d.Stats()["slack"]; st.Sent != messages || st.FellBack != messages || st.LastError != "" {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		after    time.Duration
		min, max time.Duration
	}{
		{"1 s", time.Second, time.Second, 4 * time.Second},
		{"30 s", 30 * time.Second, 30 * time.Second, 33 * time.Second},
		{"an hour", time.Hour, time.Hour, time.Hour + 3*time.Second},
		{"a year is held to an hour", 365 * 24 * time.Hour, time.Hour, time.Hour + 3*time.Second},
		{"negative is the back-off", -time.Hour, 800 * time.Millisecond, 4 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox()
				began := time.Now()
				n := &notifier{name: "slack", send: func(_ context.Context, i int, _ alerts.Message) (string, error) {
					if i == 1 {
						return "", &alerts.RetryError{Err: errors.New("429"), After: tc.after}
					}
					return "r", nil
				}}
				fb := &notifier{name: "terminal"}
				o.add(finding("f", 1, "high"))
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}})
				pass(2 * time.Hour)
				stop()
				if len(n.at) != 2 {
					t.Fatalf("%d calls", len(n.at))
				}
				if d := n.at[1].Sub(began); d < tc.min || d > tc.max {
					t.Errorf("second call after %v, want %v to %v", d, tc.min, tc.max)
				}
				// Who must wait longer than a minute is told elsewhere at once.
				if want := tc.after > time.Minute; (len(fb.got) == 1) != want {
					t.Errorf("fallback printed %d", len(fb.got))
				}
			})
		})
	}
}

// TestOnePoisonMessage: a message that always fails does not hold up the rest.
func TestOnePoisonMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		n := &notifier{name: "slack", send: func(_ context.Context, i int, m alerts.Message) (string, error) {
			if m.Thread() == "poison" {
				return "", &alerts.RetryError{Err: errors.New("500")}
			}
			return fmt.Sprint(i), nil
		}}
		o.add(finding("poison", 1, "critical"))
		for i := range 50 {
			o.add(finding(fmt.Sprintf("f%d", i), 1, "low"))
		}
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		pass(10 * time.Second)
		stop()
		if len(n.got) != 50 || o.left() != 1 {
			t.Errorf("%d delivered, %d left", len(n.got), o.left())
		}
	})
}

// TestRefusedForGood: a bad token. The messages are printed, the remedy is said
// once, Slack is asked again now and then, and when it takes messages again they
// go there.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		began := time.Now()
		n := &notifier{name: "slack", send: func(_ context.Context, i int, _ alerts.Message) (string, error) {
			if time.Since(began) < 25*time.Minute {
				return "", &alerts.RefusedError{Err: errors.New("slack says invalid_auth"), Remedy: "copy the token again", All: true}
			}
			return fmt.Sprint(i), nil
		}}
		fb := &notifier{name: "terminal"}
		var log bytes.Buffer
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for i := range 60 {
			o.add(finding(fmt.Sprintf("f%d", i), 1, "high"))
			d.Wake()
			pass(time.Minute)
		}
		stop()
		if len(fb.got)+len(n.got) != 60 || o.left() != 0 || len(n.got) < 20 {
			t.Errorf("printed %d, delivered %d, left %d", len(fb.got), len(n.got), o.left())
		}
		if tries := n.n - len(n.got); tries > 4 {
			t.Errorf("a notifier that refuses all was tried %d times in 25 minutes", tries)
		}
		if c := strings.Count(log.String(), "copy the token again"); c != 1 {
			t.Errorf("the remedy is said %d times:\n%s", c, log.String())
		}
	})
}

// TestRefusedRevisions: when the fallback stands in, it tells each revision, and
// later ones as a change of what it printed.
func TestRefusedRevisions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		n := &notifier{name: "slack", send: func(context.Context, int, alerts.Message) (string, error) {
			return "", &alerts.RefusedError{Err: errors.New("invalid_auth"), All: true}
		}}
		fb := &notifier{name: "terminal"}
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}})
		for i := range 3 {
			o.add(finding("f", i+1, "high"))
			pass(time.Minute)
		}
		stop()
		if !slices.Equal(fb.ids(), []string{"f/1", "f/2", "f/3"}) || fb.got[0].Receipt != "" || fb.got[1].Receipt != "r1" || fb.got[2].Receipt != "r2" {
			t.Errorf("printed %v", fb.got)
		}
	})
}

func TestRefusedOnce(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func() (string, error){
		"refused": func() (string, error) { return "", &alerts.RefusedError{Err: errors.New("too long")} },
		"unknown": func() (string, error) { return "", errors.New("odd") },
		"panic":   func() (string, error) { panic("oops") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox()
				n := &notifier{name: "slack", send: func(_ context.Context, _ int, m alerts.Message) (string, error) {
					if m.Thread() == "bad" {
						return bad()
					}
					return "r", nil
				}}
				// What panics never says that it is done.
				fb := &notifier{name: "terminal"}
				o.add(finding("bad", 1, "critical"))
				o.add(finding("good", 1, "low"))
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}})
				pass(10 * time.Second)
				stop()
				if !slices.Equal(fb.ids(), []string{"bad/1"}) || !slices.Equal(n.ids(), []string{"good/1"}) || o.left() != 0 {
					t.Errorf("printed %v, delivered %v, left %d", fb.ids(), n.ids(), o.left())
				}
			})
		})
	}
}

// TestNoFallback: what is refused waits, and is not lost.
func TestNoFallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		began := time.Now()
		n := &notifier{name: "slack", send: func(context.Context, int, alerts.Message) (string, error) {
			if time.Since(began) < time.Hour {
				return "", &alerts.RefusedError{Err: errors.New("invalid_auth"), All: true}
			}
			return "r", nil
		}}
		o.add(finding("a", 1, "low"))
		o.add(finding("b", 1, "low"))
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		pass(90 * time.Minute)
		stop()
		if len(n.got) != 2 || o.left() != 0 {
			t.Errorf("delivered %v, left %d", n.ids(), o.left())
		}
	})
}

// TestOutboxFails: what was sent but could not be recorded is not sent again, and
// a later revision edits it nevertheless.
func TestOutboxFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.failDone = 3
		n := &notifier{name: "slack"}
		o.add(finding("f", 1, "low"))
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		pass(time.Second)
		o.add(finding("f", 2, "low"))
		o.mu.Lock()
		o.failDue = 5
		o.mu.Unlock()
		pass(30 * time.Second)
		stop()
		if !slices.Equal(n.ids(), []string{"f/1", "f/2"}) || o.left() != 0 {
			t.Fatalf("sent %v, left %d", n.ids(), o.left())
		}
		if n.got[1].Receipt != "r1" {
			t.Errorf("the later revision does not edit: receipt %q", n.got[1].Receipt)
		}
		if st := d.Stats()["slack"]; st.OutboxErrors != 8 {
			t.Errorf("stats %+v", st)
		}
	})
}

// TestCancel: a message in flight is let to end and recorded; one that hangs is
// given up after the grace.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		takes time.Duration
		left  int
		ends  time.Duration
	}{{"ends", 3 * time.Second, 0, 3 * time.Second}, {"hangs", time.Hour, 1, 6 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox()
				began := time.Now()
				n := &notifier{name: "slack", send: func(ctx context.Context, _ int, _ alerts.Message) (string, error) {
					select {
					case <-ctx.Done():
						return "", &alerts.RetryError{Err: ctx.Err()}
					case <-time.After(tc.takes):
						return "r", nil
					}
				}}
				o.add(finding("f", 1, "low"))
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
				pass(time.Second)
				stop()
				if d := time.Since(began); o.left() != tc.left || d > tc.ends {
					t.Errorf("left %d, after %v", o.left(), d)
				}
			})
		})
	}
}

// TestTwoNotifiers: one that hangs does not hold up the other.
func TestTwoNotifiers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := newOutbox(), newOutbox()
		slow := &notifier{name: "slow", send: func(ctx context.Context, _ int, _ alerts.Message) (string, error) {
			<-ctx.Done()
			return "", &alerts.RetryError{Err: ctx.Err()}
		}}
		quick := &notifier{name: "quick"}
		for i := range 10 {
			a.add(finding(fmt.Sprintf("f%d", i), 1, "low"))
			b.add(finding(fmt.Sprintf("f%d", i), 1, "low"))
		}
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: both{"slow": a, "quick": b}, Notifiers: []alerts.Notifier{slow, quick}})
		pass(time.Second)
		if len(quick.ids()) != 10 {
			t.Errorf("delivered %v", quick.ids())
		}
		stop()
	})
}

type both map[string]*outbox

func (m both) Due(ctx context.Context, n string, now time.Time, max int) ([]alerts.Item, error) {
	return m[n].Due(ctx, n, now, max)
}

func (m both) Begin(ctx context.Context, n string, it alerts.Item) error {
	return m[n].Begin(ctx, n, it)
}

func (m both) Done(ctx context.Context, n string, it alerts.Item, receipt string) error {
	return m[n].Done(ctx, n, it, receipt)
}

func (m both) Failed(ctx context.Context, n string, it alerts.Item, cause error, next time.Time) error {
	return m[n].Failed(ctx, n, it, cause, next)
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []alerts.Options{{}, {Outbox: newOutbox()}, {Outbox: newOutbox(), Notifiers: []alerts.Notifier{&notifier{name: "a"}, &notifier{name: "a"}}}} {
		if _, err := alerts.NewDeliverer(alerts.Config{}, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestAtLeastOnce: whatever a notifier answers, in whatever order, and with
// restarts, each finding's last revision is told in the end.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		answers := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 30).Draw(rt, "answers")
		restarts := rapid.SliceOfN(rapid.IntRange(1, 90), 0, 4).Draw(rt, "restarts")
		count := rapid.IntRange(1, 8).Draw(rt, "findings")
		synctest.Test(t, func(t *testing.T) {
			o := newOutbox()
			told := map[string]int{}
			var mu sync.Mutex
			note := func(m alerts.Message) {
				mu.Lock()
				defer mu.Unlock()
				told[m.Finding.ID] = max(told[m.Finding.ID], m.Finding.Revision)
			}
			n := &notifier{name: "slack", send: func(ctx context.Context, i int, m alerts.Message) (string, error) {
				answer := 0
				if i <= len(answers) {
					answer = answers[i-1]
				}
				switch answer {
				case 1:
					return "", &alerts.RetryError{Err: errors.New("500")}
				case 2:
					return "", &alerts.RetryError{Err: errors.New("429"), After: 45 * time.Second}
				case 3:
					return "", &alerts.RefusedError{Err: errors.New("invalid_auth"), All: true}
				case 4:
					panic("oops")
				case 5:
					<-ctx.Done()
					return "", &alerts.RetryError{Err: ctx.Err()}
				}
				note(m)
				return fmt.Sprint("r", i), nil
			}}
			fb := &notifier{name: "terminal", send: func(_ context.Context, _ int, m alerts.Message) (string, error) {
				note(m)
				return "printed", nil
			}}
			for i := range count {
				o.add(finding(fmt.Sprintf("f%d", i), 1, "low"))
			}
			for k, after := range append(restarts, 3*3600) {
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{fb}})
				o.add(finding("f0", k+2, "high"))
				pass(time.Duration(after) * time.Second)
				stop()
				n.mu.Lock()
				n.busy = false
				n.mu.Unlock()
			}
			if o.left() != 0 {
				t.Errorf("%d left", o.left())
			}
			for i := range count {
				want := 1
				if i == 0 {
					want = len(restarts) + 2
				}
				if got := told[fmt.Sprintf("f%d", i)]; got != want {
					t.Errorf("f%d told to revision %d, want %d", i, got, want)
				}
			}
		})
	})
}
