package talk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// errBusy is of what comes while too much is under way, or after Close. Who pressed
// sees that it failed, and may press again.
var errBusy = errors.New("too much is under way")

// take does what somebody asks, or begins to. The answer is what Slack is to be
// answered, nil for a bare yes; it comes within patience.
func (t *Talk) take(in incoming) (answer any, err error) {
	if in.kind == kindNone {
		return nil, nil
	}
	if in.kind == kindSubmit {
		if wrong := t.wrong(in); len(wrong) > 0 {
			return slack.NewErrorsViewSubmissionResponse(wrong), nil
		}
	}
	if !t.begin() {
		t.counts.add("busy")
		return nil, errBusy
	}
	if !t.once.first(in.id) {
		t.end()
		t.counts.add("repeated")
		return nil, nil
	}
	t.counts.add("taken")
	ctx, cancel := context.WithTimeout(t.work, jobTime)
	end := func() {
		cancel()
		t.end()
	}
	switch in.kind {
	case kindSubmit:
		return t.answered(ctx, end, outcome{view: page(titleOf(in.dialogue), said(wordsOwn))},
			func(ctx context.Context) outcome { return t.submit(ctx, in) },
			func(ctx context.Context, o outcome, late bool) { t.close(ctx, in, o, late) },
			slack.NewUpdateViewSubmissionResponse(waiting(titleOf(in.dialogue)))), nil
	case kindCommand:
		return t.answered(ctx, end, reply(said(wordsOwn)),
			func(ctx context.Context) outcome { return t.command(ctx, in) },
			func(ctx context.Context, o outcome, late bool) {
				if late && o.msg.text != "" {
					t.later(ctx, in.reply, o.msg)
				}
			}, nil), nil
	}
	go func() {
		defer end()
		t.guard(func() { t.press(ctx, in) })
	}()
	return nil, nil
}

// begin takes a place among what is under way; end gives it back.
func (t *Talk) begin() bool {
	t.jobsMu.Lock()
	defer t.jobsMu.Unlock()
	if t.closed {
		return false
	}
	select {
	case t.slots <- struct{}{}:
		t.jobs.Add(1)
		return true
	default:
		return false
	}
}

func (t *Talk) end() {
	<-t.slots
	t.jobs.Done()
}

// outcome is what came of a submission or a command.
type outcome struct {
	// msg says it; view is the page that shows it, nil when the dialogue closes. A nil
	// view and an empty msg is nothing to say.
	msg  message
	view *slack.ModalViewRequest
}

// answered works and answers with what came of it, or after patience with meanwhile.
// after is called when the answer is on its way, or when it came too late for that;
// o is what came of it when the work stumbles.
func (t *Talk) answered(ctx context.Context, end func(), o outcome, work func(context.Context) outcome, after func(context.Context, outcome, bool), meanwhile any) any {
	// Whoever sets claimed first says what Slack is answered.
	var claimed atomic.Bool
	result := make(chan outcome, 1)
	go func() {
		defer end()
		t.guard(func() { o = work(ctx) })
		late := !claimed.CompareAndSwap(false, true)
		if late {
			t.counts.add("late")
			// Slack may not have shown our first answer yet, and would show it last.
			if t.wait(ctx, t.settle) != nil {
				return
			}
		} else {
			result <- o
		}
		t.guard(func() { after(ctx, o, late) })
	}()
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case o := <-result:
		return o.answer()
	case <-timer.C:
		if claimed.CompareAndSwap(false, true) {
			return meanwhile
		}
		return (<-result).answer()
	}
}

// answer is the outcome as Slack's answer.
func (o outcome) answer() any {
	switch {
	case o.view != nil:
		return slack.NewUpdateViewSubmissionResponse(o.view)
	case o.msg.command:
		return o.msg.answer()
	}
	return nil
}

// close ends a submission: a dialogue that closed is answered where it was opened; one
// that waits shows what came.
func (t *Talk) close(ctx context.Context, in incoming, o outcome, late bool) {
	switch {
	case late && o.view != nil:
		t.replace(ctx, in.view, *o.view)
	case late:
		t.replace(ctx, in.view, *page(titleOf(in.dialogue), o.msg))
	case o.view == nil && o.msg.text != "":
		t.say(ctx, in.by, in.at, o.msg)
	}
}

// guard keeps a mistake of ours from ending the program.
func (t *Talk) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			t.counts.add("panics")
			t.log.Error("slack: what somebody pressed made vigil stumble",
				slog.String("panic", t.scrub(fmt.Sprint(r))), slog.String("stack", string(debug.Stack())))
		}
	}()
	f()
}

// failure is why something was not done, in words for who acted.
type failure struct {
	words string
	// lasting says that doing it again would end the same: a form is not shown again.
	lasting bool
}

// do has the desk do it. The failure is nil when it was done.
func (t *Talk) do(ctx context.Context, a alerts.Act) (alerts.Outcome, *failure) {
	out, err := t.ask(ctx, a)
	if err == nil {
		t.counts.add("done")
		return out, nil
	}
	t.counts.add("not_done")
	for _, known := range []error{alerts.ErrStranger, alerts.ErrMayNot, alerts.ErrOwnCase, alerts.ErrNoCase} {
		if errors.Is(err, known) {
			return out, &failure{words: sentence(err.Error()), lasting: true}
		}
	}
	if errors.Is(err, alerts.ErrNotDone) {
		return out, &failure{words: sentence(err.Error())}
	}
	t.log.Error("slack: a deed failed", slog.String("deed", string(a.Deed)), slog.String("error", t.scrub(err.Error())))
	if errors.Is(err, context.DeadlineExceeded) {
		return out, &failure{words: wordsLate}
	}
	return out, &failure{words: wordsOwn}
}

// ask has the desk do what somebody of the token's workspace asks. The desk gets to know
// them by that one.
func (t *Talk) ask(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
	h, err := t.home(ctx)
	if err != nil {
		return alerts.Outcome{}, err
	}
	if !h.has(a.By.Workspace) {
		t.counts.add("foreign")
		return alerts.Outcome{}, alerts.ErrStranger
	}
	a.By.Workspace = h.team
	if a.To.ID != "" {
		a.To.Workspace = h.team
	}
	return t.desk.Do(ctx, a)
}

// What is said when it is nobody's fault but ours.
const (
	wordsOwn  = "vigil could not do it; why is written in its log."
	wordsLate = "vigil did not get to it in time. See whether it was done before you try again."
)

// scrub makes foreign text fit for a log line: short, without the secrets.
func (t *Talk) scrub(s string) string {
	for _, secret := range []string{string(t.cfg.BotToken), string(t.cfg.AppToken), string(t.cfg.SigningSecret)} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return alerts.Cut(alerts.Clean(s), 300)
}
