package slack_test

import (
	"strings"
	"testing"

	"vigil"
	"vigil/alerts"
)

// TestReply: what is new about a case goes below its card, and by itself when that is
// gone.
func TestReply(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, nil)
	if !n.Threads() {
		t.Fatal("it does not thread")
	}
	card := notify(t, n, inCase(vendor(), nil)) // with a picture: the receipt is long
	r := notify(t, n, reply(alerts.Reply{Kind: vigil.CaseReminded, Text: "Nobody has acknowledged this.", Call: []string{"actor-ana", "actor-evil"}}, card))
	_, posts, _ := f.state()
	p := posts[strings.TrimPrefix(r, "C1/")]
	if p.thread != stamp(1) || p.broadcast != "" || !strings.Contains(p.blocks, `\u003c@U0ANA11\u003e`) || strings.Contains(p.blocks, "channel") || strings.Contains(p.blocks, "header") {
		t.Errorf("reply %q: %+v", r, p)
	}
	if want := "Reminder. Nobody has acknowledged this. (Critical: vendor account v-3f9a2c)"; p.text != want {
		t.Errorf("on a phone: %q, want %q", p.text, want)
	}

	r = notify(t, n, reply(alerts.Reply{Kind: vigil.CaseEscalated, Text: "Nobody answered.", Loud: true}, card))
	_, posts, _ = f.state()
	if p := posts[strings.TrimPrefix(r, "C1/")]; p.thread != stamp(1) || p.broadcast != "true" {
		t.Errorf("a loud reply: %+v", p)
	}

	// It is offered again after a failure to keep its receipt: edited, in its place.
	again := reply(alerts.Reply{Kind: vigil.CaseEscalated, Text: "Nobody answered at all."}, card)
	again.Receipt = r
	if got := notify(t, n, again); got != r {
		t.Errorf("receipt %q, was %q", got, r)
	}

	// The card is gone, its channel is, or it was never sent.
	for _, parent := range []string{"C1/" + stamp(999), "CGONE/" + stamp(1), "CARCHIVED/" + stamp(1), "printed", ""} {
		r := notify(t, n, reply(alerts.Reply{Kind: vigil.CaseJoined, Text: "A second one."}, parent))
		_, posts, _ = f.state()
		p := posts[strings.TrimPrefix(r, "C1/")]
		if p.thread != "" || !strings.Contains(p.blocks, "vendor account v-3f9a2c") || !strings.Contains(p.blocks, `"type":"header"`) {
			t.Errorf("below %q: %q %+v", parent, r, p)
		}
	}
}
