package talk

import (
	"context"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// press does what a button or a shortcut asks.
func (t *Talk) press(ctx context.Context, in incoming) {
	if in.view != "" {
		t.changed(ctx, in)
		return
	}
	action, id := pressed(in)
	in.meta = meta{Case: id, At: in.at}
	switch action {
	case cards.ActionOpen:
	case cards.ActionAcknowledge:
		t.atOnce(ctx, in, act(in, alerts.DeedAcknowledge, id), "You acknowledged it.")
	case cards.ActionAssignMe:
		t.atOnce(ctx, in, act(in, alerts.DeedAssign, id), "It is yours now.")
	case actionNotMine:
		t.notMine(ctx, in, id)
	default:
		d, ok := dialogueOf(action)
		if !ok || d.look == nil {
			t.counts.add("unknown")
			t.say(ctx, in.by, in.at, said("This button is of another version of vigil: open the case in the console."))
			return
		}
		t.show(ctx, in, d.title, func(ctx context.Context) slack.ModalViewRequest { return d.look(ctx, t, in) })
	}
}

// atOnce does what needs no dialogue, and says what came of it.
func (t *Talk) atOnce(ctx context.Context, in incoming, a alerts.Act, done string) {
	out, failed := t.do(ctx, a)
	if failed != nil {
		t.say(ctx, in.by, in.at, said(failed.words))
		return
	}
	t.say(ctx, in.by, in.at, t.told(out, done))
}

// show opens a dialogue in time. What it shows is looked up first; when that takes
// long, the dialogue says so until it is there.
func (t *Talk) show(ctx context.Context, in incoming, title string, look func(context.Context) slack.ModalViewRequest) {
	trigger, cancel := context.WithTimeout(ctx, t.triggerTime)
	defer cancel()
	result := make(chan slack.ModalViewRequest, 1)
	go func() {
		v := *page(title, said(wordsOwn))
		t.guard(func() { v = look(ctx) })
		result <- v
	}()
	timer := time.NewTimer(t.lookTime)
	defer timer.Stop()
	var v slack.ModalViewRequest
	late := false
	select {
	case v = <-result:
	case <-timer.C:
		v, late = *waiting(title), true
	}
	id, err := t.open(trigger, in.trigger, v)
	if err != nil {
		t.counts.add("unopened")
		t.log.Warn("slack: a dialogue can't be opened", slog.String("reason", t.plainly(err)))
		t.say(ctx, in.by, in.at, said("The dialogue could not be opened in time. Press again."))
		return
	}
	if late {
		t.replace(ctx, id, <-result)
	}
}

// submit does what a dialogue asks.
func (t *Talk) submit(ctx context.Context, in incoming) outcome {
	d, ok := dialogueOf(in.dialogue)
	if !ok {
		t.counts.add("unknown")
		return outcome{view: page("vigil", said("This dialogue is of another version of vigil. Close it and press again."))}
	}
	a := d.act(ctx, t, in)
	out, failed := t.do(ctx, a)
	switch {
	case failed == nil:
	case failed.lasting:
		return outcome{view: page(d.title, said(failed.words))}
	default:
		// What was typed is not lost.
		return outcome{view: d.form(in.dialogue, draft{meta: in.meta, values: in.values, failed: failed.words})}
	}
	if d.after != nil {
		return d.after(ctx, t, in, out)
	}
	m := t.told(out, d.done)
	if in.at.Channel == "" { // opened by a command: there may be no channel to answer in
		return outcome{view: page(d.title, m), msg: m}
	}
	return outcome{msg: m}
}

// wrong says what can't be taken of what was typed, by input.
func (t *Talk) wrong(in incoming) map[string]string {
	d, ok := dialogueOf(in.dialogue)
	if !ok || d.wrong == nil {
		return nil
	}
	wrong := map[string]string{}
	d.wrong(in, wrong)
	return wrong
}

// changed shows anew what a changed choice would hide.
func (t *Talk) changed(ctx context.Context, in incoming) {
	if in.dialogue != cards.ActionExpect || in.action == cards.ActionOpen {
		return
	}
	t.latest.begin(in.view, in.ts)
	v := expectView(ctx, t, in)
	t.latest.finish(in.view, in.ts, func() { t.replace(ctx, in.view, v) })
}
