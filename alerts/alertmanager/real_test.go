package alertmanager_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertmanager"
	"vigil/alerts/alertstest"
)

// program finds a real Alertmanager: built by tools/setup.sh, else the machine's own.
func program(t *testing.T) string {
	t.Helper()
	ours, err := filepath.Abs("../../.tools/bin/alertmanager")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ours, "alertmanager", "prometheus-alertmanager"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("NOT CHECKED: no Alertmanager; tools/setup.sh brings it")
	return ""
}

// start runs a real Alertmanager that tells a webhook, and returns its address and how
// to kill it.
func start(t *testing.T, webhook string) (address string, kill func()) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(conf, []byte(`
route: {receiver: hook, group_by: [case, severity], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "`+webhook+`", send_resolved: true}]}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), "--config.file="+conf, "--storage.path="+dir, "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // it was killed: that is its error
	}
	t.Cleanup(kill)
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
		if _, rest, ok := strings.Cut(lines.Text(), "address="); ok && strings.Contains(lines.Text(), "Listening on") {
			go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends, whatever it says
			return "http://" + strings.Fields(rest)[0], kill
		}
	}
	t.Fatalf("the Alertmanager does not start:\n%s", strings.Join(said, "\n"))
	return "", nil
}

// active lists the severities of a case's alerts that fire.
func active(t *testing.T, address, id string) []string {
	t.Helper()
	resp, err := http.Get(address + "/api/v2/alerts?filter=case%3D%22" + id + "%22")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []alert
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, a := range list {
		out = append(out, a.Labels["severity"])
	}
	return out
}

// TestReal tells a case to a real Alertmanager, from its beginning to its end.
func TestReal(t *testing.T) {
	t.Parallel()
	type hook struct {
		Status string
		Alerts []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	told := make(chan hook, 1000)
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var h hook
		if json.NewDecoder(r.Body).Decode(&h) == nil {
			told <- h
		}
	}))
	t.Cleanup(webhook.Close)
	// await waits until people are told of a case's alert.
	await := func(status, id, severity string) map[string]string {
		t.Helper()
		for {
			select {
			case h := <-told:
				for _, a := range h.Alerts {
					if a.Status == status && a.Labels["case"] == id && a.Labels["severity"] == severity {
						return a.Annotations
					}
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("nobody is told that %s %s is %s", id, severity, status)
			}
		}
	}
	address, kill := start(t, webhook.URL)
	make := func(address string) *alertmanager.Notifier {
		n, err := alertmanager.New(alertmanager.Config{URLs: []string{address}, AllowPrivate: true, ConsoleURL: alertstest.Console}, alertmanager.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := make(address)
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Its times are long past or to come, and all samples are taken.
	for name, m := range alertstest.Samples() {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	receipt := ""
	notify := func(state vigil.CaseState, s vigil.Severity) alerts.Message {
		t.Helper()
		m := caseIn(state, s)
		m.Receipt = receipt
		var err error
		if receipt, err = n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		m.Receipt = receipt
		return m
	}
	expect := func(address string, want ...string) {
		t.Helper()
		if got := active(t, address, "c-1"); !slices.Equal(got, want) {
			t.Errorf("firing %q, want %q", got, want)
		}
	}
	notify(vigil.CaseNew, "high")
	expect(address, "high")
	if a := await("firing", "c-1", "high"); a["link"] != "https://vigil.example/cases/c-20261103-5d20" || !strings.HasPrefix(a["description"], "Agent a-91be07 opened") {
		t.Errorf("annotations %v", a)
	}
	notify(vigil.CaseAcknowledged, "high")
	expect(address, "high")
	m := notify(vigil.CaseNew, "critical")
	expect(address, "critical")
	if a := await("resolved", "c-1", "high"); !strings.HasPrefix(a["summary"], "It got graver.") {
		t.Errorf("annotations %v", a)
	}

	// Restarted, it knows nothing; refreshed, all that is open.
	kill()
	address, _ = start(t, webhook.URL) // the end of the test stops it
	expect(address)
	n = make(address)
	if err := n.Refresh(t.Context(), []alerts.Message{m}); err != nil {
		t.Fatal(err)
	}
	expect(address, "critical")
	await("firing", "c-1", "critical")
	notify(vigil.CaseResolved, "critical")
	expect(address)
	await("resolved", "c-1", "critical")
}
