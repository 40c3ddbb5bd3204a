package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vigil"
	"vigil/alerts"
)

// finder is a channel that can look: what it posted stands there, whether or not the
// sender heard of it.
type finder struct {
	notifier
	stands  map[string]string // by thread
	looks   int
	findErr error
}

func newFinder() *finder {
	f := &finder{notifier: notifier{name: "slack"}, stands: map[string]string{}}
	f.send = func(_ context.Context, n int, m alerts.Message) (string, error) {
		f.post(n, m)
		return f.stands[m.Thread()], nil
	}
	return f
}

// post puts a message up, or changes one.
func (f *finder) post(n int, m alerts.Message) {
	if m.Receipt == "" {
		f.stands[m.Thread()] = fmt.Sprint("r", n)
	}
}

func (f *finder) Find(_ context.Context, m alerts.Message) (string, error) {
	f.looks++
	return f.stands[m.Thread()], f.findErr
}

// TestKilledWhileSending: what was posted before a kill is found and edited, not posted
// again; what was not posted is.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	for _, posted := range []bool{true, false} {
		t.Run(fmt.Sprint("posted ", posted), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, f := newOutbox(), newFinder()
				o.add(finding("f", 1, "high"))
				// The program dies within the send: Begin was durable, nothing else.
				killed := make(chan struct{})
				inner := f.send
				f.send = func(ctx context.Context, n int, m alerts.Message) (string, error) {
					if posted {
						f.post(n, m)
					}
					<-killed
					return "", errors.New("dead")
				}
				dead := &frozen{outbox: o}
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: dead, Notifiers: []alerts.Notifier{f}})
				synctest.Wait()
				dead.is = true
				close(killed)
				stop()

				f.mu.Lock()
				f.got, f.send = nil, inner
				f.mu.Unlock()
				// A newer revision that took the place of the one in doubt is in doubt too.
				o.add(finding("f", 2, "high"))
				d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{f}})
				pass(time.Minute)
				stop()
				if len(f.got) != 1 || o.left() != 0 || f.looks != 1 {
					t.Fatalf("%d sent, %d left, looked %d times", len(f.got), o.left(), f.looks)
				}
				if want := map[bool]string{true: "r1", false: ""}[posted]; f.got[0].Receipt != want || f.got[0].ID != "f/2" {
					t.Errorf("sent %+v", f.got[0])
				}
				if st := d.Stats()["slack"]; st.Found != map[bool]int64{true: 1}[posted] {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// frozen is an outbox whose program was killed: nothing reaches it any more.
type frozen struct {
	*outbox
	is bool
}

func (o *frozen) Done(ctx context.Context, n string, it alerts.Item, receipt string) error {
	if o.is {
		return errors.New("killed")
	}
	return o.outbox.Done(ctx, n, it, receipt)
}

func (o *frozen) Failed(ctx context.Context, n string, it alerts.Item, cause error, next time.Time) error {
	if o.is {
		return errors.New("killed")
	}
	return o.outbox.Failed(ctx, n, it, cause, next)
}

// TestLostAnswer: an answer that did not come leaves a doubt, a clear no does not.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		posted bool
		looks  int
		posts  int // new messages that stand there
	}{
		"in doubt, delivered":     {&alerts.RetryError{Err: errors.New("reset"), InDoubt: true}, true, 1, 1},
		"in doubt, not delivered": {&alerts.RetryError{Err: errors.New("reset"), InDoubt: true}, false, 1, 1},
		"cut off":                 {context.DeadlineExceeded, true, 1, 1},
		"a clear no":              {&alerts.RetryError{Err: errors.New("429")}, false, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, f := newOutbox(), newFinder()
				posts := 0
				f.send = func(_ context.Context, n int, m alerts.Message) (string, error) {
					if n > 1 || tc.posted {
						if m.Receipt == "" {
							posts++
						}
						f.post(n, m)
					}
					if n == 1 {
						return "", tc.err
					}
					return f.stands[m.Thread()], nil
				}
				o.add(finding("f", 1, "high"))
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{f}})
				pass(time.Minute)
				stop()
				if f.looks != tc.looks || posts != tc.posts || o.left() != 0 {
					t.Errorf("looked %d times, %d posts, %d left", f.looks, posts, o.left())
				}
			})
		})
	}
}

// TestFoundReply: a reply that stands there already is done, and not sent as an edit.
func TestFoundReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, f := newOutbox(), newFinder()
		m := alerts.Message{ID: "reply/1", Kind: alerts.KindReply, Case: &vigil.Case{ID: "c"}, Reply: &alerts.Reply{Text: "x"}}
		f.stands["reply/1"], o.doubt["reply/1"] = "r0", true
		o.add(m)
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{f}})
		pass(10 * time.Second)
		stop()
		if len(f.got) != 0 || o.left() != 0 || o.receipts["reply/1"] != "r0" {
			t.Errorf("%v, %d left, receipts %v", f.got, o.left(), o.receipts)
		}
	})
}

// TestCantLook: a look that fails for now is tried again; one that is refused does not
// keep the message.
func TestCantLook(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		sent int
	}{"for now": {&alerts.RetryError{Err: errors.New("503")}, 0}, "for good": {errors.New("missing_scope"), 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, f := newOutbox(), newFinder()
				f.findErr = tc.err
				o.doubt["f"] = true
				o.add(finding("f", 1, "high"))
				_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{f}})
				pass(time.Minute)
				stop()
				if len(f.got) != tc.sent || o.left() != 1-tc.sent || f.looks == 0 || tc.sent == 0 && !o.doubt["f"] {
					t.Errorf("%d sent, %d left, looked %d times, doubt %v", len(f.got), o.left(), f.looks, o.doubt)
				}
			})
		})
	}
}

// TestBeginFails: a disk that is full holds no message back.
func TestBeginFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, f := newOutbox(), newFinder()
		o.failBegin = 1
		o.add(finding("f", 1, "high"))
		d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{f}})
		pass(time.Second)
		stop()
		if st := d.Stats()["slack"]; len(f.got) != 1 || o.left() != 0 || st.OutboxErrors != 1 {
			t.Errorf("%d sent, %d left, %+v", len(f.got), o.left(), st)
		}
	})
}

// TestSecondWay: within a minute of a channel's going, however it goes, what is new is
// told by another way; when that goes too, by the last.
func TestSecondWay(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context, _ int, _ alerts.Message) (string, error) {
		<-ctx.Done()
		return "", &alerts.RetryError{Err: ctx.Err(), InDoubt: true}
	}
	refuse := func(context.Context, int, alerts.Message) (string, error) {
		return "", &alerts.RetryError{Err: errors.New("connection refused")}
	}
	for name, slack := range map[string]func(context.Context, int, alerts.Message) (string, error){"hangs": hang, "is refused": refuse} {
		for _, mailWorks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, mail works %v", name, mailWorks), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					o := newOutbox()
					n := &notifier{name: "slack", send: slack}
					mail := &notifier{name: "mail", pace: time.Second}
					if !mailWorks {
						mail.send = refuse
					}
					last := &notifier{name: "terminal"}
					told, other := mail, last
					if !mailWorks {
						told, other = last, mail
					}
					created := map[string]time.Time{}
					d, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{n, mail, last}})
					for i := range 6 {
						id := fmt.Sprint("f", i)
						o.add(finding(id, 1, "high"))
						created[id+"/1"] = time.Now()
						d.Wake()
						pass(7 * time.Second)
					}
					pass(2 * time.Minute)
					stop()
					if len(told.got) != 6 || len(other.got) != 0 || o.left() != 6 {
						t.Fatalf("told %v, other %v, %d left", told.ids(), other.ids(), o.left())
					}
					i := 0
					for _, m := range told.got {
						// at has failures too, but what told them all had none.
						if late := told.at[i].Sub(created[m.ID]); late > time.Minute {
							t.Errorf("%s told after %v", m.ID, late)
						}
						i++
					}
					if mailWorks {
						for i := 1; i < len(mail.at); i++ {
							if gap := mail.at[i].Sub(mail.at[i-1]); gap < time.Second {
								t.Errorf("the second way is asked after %v, its pace is 1s", gap)
							}
						}
					}
				})
			})
		}
	}
}

// TestFallbackRests: a fallback that fails is not asked for each of many messages, and a
// notifier that refuses everything is no fallback of its own.
func TestFallbackRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		n := &notifier{name: "slack", send: func(context.Context, int, alerts.Message) (string, error) {
			return "", &alerts.RefusedError{Err: errors.New("invalid_auth"), All: true}
		}}
		mail := &notifier{name: "mail", send: func(context.Context, int, alerts.Message) (string, error) {
			return "", &alerts.RetryError{Err: errors.New("connection refused")}
		}}
		last := &notifier{name: "terminal"}
		for i := range 50 {
			o.add(finding(fmt.Sprint("f", i), 1, "high"))
		}
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Fallbacks: []alerts.Notifier{n, mail, last}})
		pass(20 * time.Second)
		stop()
		if n.n != 1 || mail.n != 1 || len(last.got) != 50 || o.left() != 0 {
			t.Errorf("slack was asked %d times, mail %d; %d told, %d left", n.n, mail.n, len(last.got), o.left())
		}
	})
}

// TestReplyAfterItsCard: a reply that waits with its card is sent after it, however grave
// its case.
func TestReplyAfterItsCard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, n := newOutbox(), &notifier{name: "slack"}
		c := &vigil.Case{ID: "c", Severity: "critical"}
		o.add(alerts.Message{ID: "reply", Kind: alerts.KindReply, Case: c, Reply: &alerts.Reply{}})
		o.add(alerts.Message{ID: "c-1", Kind: alerts.KindCase, Case: c, Finding: &vigil.Finding{ID: "f"}})
		o.add(alerts.Message{ID: "n", Kind: alerts.KindNotice, Notice: &alerts.Notice{Severity: "high"}})
		o.add(alerts.Message{ID: "d", Kind: alerts.KindDigest, Digest: &alerts.Digest{}})
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}})
		pass(10 * time.Second)
		stop()
		if got := n.ids(); !slices.Equal(got, []string{"c-1", "n", "d", "reply"}) {
			t.Errorf("sent %s", strings.Join(got, ", "))
		}
	})
}
