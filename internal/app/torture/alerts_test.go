package torture_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/slacktest"
	"vigil/internal/ledger"
)

const (
	botToken      = "xoxb-of-the-torture-test"
	signingSecret = "a-signing-secret-of-the-torture-test"
)

// exportRule finds each export, by itself: a rule of the user's own.
const exportRule = `id: torture-%[1]d
name: Something was exported
about: Nobody exports anything here.
severity: critical
when: action == "export" and resource == "exports-%[1]d"
sentence: "{who} exported {customers|customer|customers}."
counterfactual: No finding without an export.
examples:
  - name: an export
    fires: true
    events: [{actor: ann, action: export, resource: exports-%[1]d}]
  - name: a read
    fires: false
    events: [{actor: ann, action: read, resource: exports-%[1]d}]
`

// perRule is fewer than one rule may find in a day.
const perRule = 40

// writeRules writes as many rules as so many findings need.
func writeRules(t *testing.T, dir string, findings int) (glob string) {
	t.Helper()
	for i := range findings/perRule + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rule-%d.yaml", i)), fmt.Appendf(nil, exportRule, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "rule-*.yaml")
}

// breach is one export, the n-th, by somebody of whom nothing else is known, and what
// lets the order of it be settled. Sent twice it counts once.
func breach(n int) []byte {
	at := time.Now().UTC().Add(-10 * time.Minute)
	return fmt.Appendf(nil, `{"time":%q,"id":"theft-%d","actor":"thief-%d","action":"export","resource":"exports-%d","subjects":["c%d"]}`+"\n"+`{"time":%q,"id":"later-%d","actor":"someone","action":"read","resource":"r"}`+"\n",
		at.Format(time.RFC3339Nano), n, n, n/perRule, n, at.Add(2*time.Minute).Format(time.RFC3339Nano), n)
}

// pushUntilTaken sends events again until they are acknowledged, whatever is killed
// meanwhile.
func pushUntilTaken(ctx context.Context, listen string, body []byte) {
	for ctx.Err() == nil && !post(ctx, "http://"+listen+"/v1/events", "push", body) {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// killer ends a process at one moment of Slack's answer to a post.
type killer struct {
	mu    sync.Mutex // guards the rest
	armed *child
	after time.Duration // after the answer; negative is before it
	done  chan struct{}
}

func (k *killer) arm(c *child, after time.Duration) (done <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.armed, k.after, k.done = c, after, make(chan struct{})
	return k.done
}

// take is whether the moment is now, and whom it hits.
func (k *killer) take(before bool) (c *child, after time.Duration, done chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.armed == nil || before != (k.after < 0) {
		return nil, 0, nil
	}
	c, k.armed = k.armed, nil
	return c, k.after, k.done
}

func (k *killer) strike(before bool) {
	c, after, done := k.take(before)
	if c == nil {
		return
	}
	if after > 0 {
		<-time.After(after) // the moment of the kill is what is tried
	}
	close(done) // before the kill: who sees the end knows whose it is
	_ = c.cmd.Process.Kill()
}

// Killed around Slack's answer, before and after it is written down, again and again: no case is
// missed, none is told twice, and each message shows what became of its case last.
// VIGIL_TORTURE=1 makes 200 kills of it.
func TestKilledBetweenSlackAndLedger(t *testing.T) {
	t.Parallel()
	kills, acknowledged := 4, 2
	if os.Getenv("VIGIL_TORTURE") != "" {
		kills, acknowledged = 200, 60
	}
	dir := t.TempDir()
	data, conf, log, listen := filepath.Join(dir, "data"), filepath.Join(dir, "vigil.yaml"), filepath.Join(dir, "log"), freeAddress(t)
	workspace := slacktest.New(botToken)
	server := httptest.NewServer(workspace)
	defer server.Close()
	text := fmt.Sprintf(`data_dir: %q
listen: %s
snapshots: "@every 1s"
rules: [%q]
sources: [{name: push, format: native, push: {token: %spush}}]
slack: {token: %s, channel: %s, signing_secret: %s, api_url: %q, no_pictures: true}
users: [{name: ann, roles: [analyst], slack: U0ANN}]
`, data, listen, writeRules(t, dir, kills), secret, botToken, slacktest.Channel, signingSecret, server.URL+"/api/")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &killer{}
	workspace.Watch(func(slacktest.Call) { k.strike(true) }, func(slacktest.Call) { k.strike(false) })
	// Before the answer, just after it, and so on to 20 ms after it.
	moments := []time.Duration{-1, 0, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond, 8 * time.Millisecond, 20 * time.Millisecond}
	patience := 30 * time.Second
	var pushes sync.WaitGroup
	for i := range kills {
		c := startChild(t, conf, log)
		done := k.arm(c, moments[i%len(moments)])
		pushes.Go(func() { pushUntilTaken(t.Context(), listen, breach(i)) })
		select {
		case err := <-c.done:
			select {
			case <-done:
			default:
				t.Fatalf("the service ended by itself: %v\n%s", err, tail(log))
			}
		case <-time.After(patience):
			t.Fatalf("finding %d was not told within %s\n%s", i, patience, tail(log))
		}
	}
	c := startChild(t, conf, log)
	pushes.Wait()
	cards, copies := awaitCards(t, workspace, kills, time.Minute)
	// Cases are acknowledged: what shows them in Slack must follow, and nothing else.
	pressed := map[string]bool{}
	for id, ts := range cards {
		if len(pressed) < acknowledged {
			press(t, listen, id, ts)
			pressed[id] = true
		}
	}
	shown := awaitShown(t, workspace, pressed, "Acknowledged", time.Duration(acknowledged+20)*4*time.Second)
	if err := c.stop(); err != nil {
		t.Errorf("the service ended with %v\n%s", err, tail(log))
	}
	missed := kills - len(cards)
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: data}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, total, err := l.Cases(t.Context(), ledger.CaseFilter{Limit: 10 * kills})
	if err != nil {
		t.Fatal(err)
	}
	stale := 0
	for i := range all {
		if pressed[all[i].ID] && (all[i].State != vigil.CaseAcknowledged || shown[all[i].ID] != all[i].Revision) {
			stale++
			t.Errorf("case %s: %s at revision %d, Slack shows %d", all[i].ID, all[i].State, all[i].Revision, shown[all[i].ID])
		}
	}
	if total != kills || missed != 0 || copies > 0 {
		t.Errorf("%d kills: %d cases, %d missed, %d twice, %d stale", kills, total, missed, copies, stale)
	}
	t.Logf("%d kills: %d cases, %d missed, %d twice, %d stale; %d posts, %d edits, %d looks", kills, total, missed, copies, stale,
		workspace.Count("chat.postMessage"), workspace.Count("chat.update"), workspace.Count("conversations.history"))
}

// cardsIn are the cases that are told, with the message that tells them first, and how
// many messages tell one that another tells.
func cardsIn(w *slacktest.Workspace) (cards map[string]string, copies int) {
	cards = map[string]string{}
	for _, m := range w.Messages() {
		for _, b := range m.BlockIDs() {
			if id, _, ok := slack.CaseOf(b); ok {
				if cards[id] != "" {
					copies++
				}
				cards[id] = m.TS
			}
		}
	}
	return cards, copies
}

func awaitCards(t *testing.T, w *slacktest.Workspace, n int, within time.Duration) (cards map[string]string, copies int) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		if cards, copies = cardsIn(w); len(cards) >= n {
			break
		}
	}
	return cards, copies
}

// awaitShown waits until each of some cases is shown with a word, and returns the revisions that
// are shown.
func awaitShown(t *testing.T, w *slacktest.Workspace, cases map[string]bool, word string, within time.Duration) map[string]int {
	t.Helper()
	shown := map[string]int{}
	for deadline := time.Now().Add(within); len(shown) < len(cases) && time.Now().Before(deadline); <-time.After(100 * time.Millisecond) {
		for _, m := range w.Messages() {
			for _, b := range m.BlockIDs() {
				if id, revision, ok := slack.CaseOf(b); ok && cases[id] && strings.Contains(m.Blocks, word) {
					shown[id] = revision
				}
			}
		}
	}
	return shown
}

// press acknowledges a case as Slack posts it, again while the service is busy.
func press(t *testing.T, listen, id, ts string) {
	t.Helper()
	for serial := 1; ; serial++ {
		p := slacktest.Press{User: "U0ANN", Action: slack.ActionAcknowledge, Value: id, Block: "vigil.case/" + id + "/1", Message: ts, Serial: serial}
		r, err := p.Request("http://"+listen+"/slack/actions", signingSecret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r.WithContext(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		switch {
		case res.StatusCode == http.StatusServiceUnavailable && serial < 100:
			<-time.After(100 * time.Millisecond)
		case res.StatusCode != http.StatusOK:
			t.Fatalf("a press is answered %d", res.StatusCode)
		default:
			return
		}
	}
}
