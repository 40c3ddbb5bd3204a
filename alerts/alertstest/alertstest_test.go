package alertstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/internal/outbound"
)

// plain posts a card's words. Its flaw, when it has one, is what the suite must see.
type plain struct {
	to     string
	client *outbound.Client
	flaw   string
	server *alertstest.Server
}

func (p *plain) Name() string { return "plain" }

func (p *plain) Notify(ctx context.Context, m alerts.Message) (string, error) {
	card := alerts.CardOf(m, alertstest.Console)
	out := []string{card.Title, card.Sentence}
	if card.Link != "" {
		out = append(out, card.Link)
	}
	switch p.flaw {
	case "links":
		out = append(out, m.Link)
	case "invisible":
		if m.Finding != nil {
			out = append(out, m.Finding.Sentence)
		}
	case "silent about digests":
		if m.Kind == alerts.KindDigest {
			return "r", nil
		}
	case "untitled":
		out = out[1:]
	case "cut off":
		ctx = context.WithoutCancel(ctx)
	case "logs its secret":
		p.server.Logger.Debug("post", "to", p.to)
	case "library":
		return p.library(ctx, out)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return "", err
	}
	_, err = p.client.Post(ctx, outbound.Secret(p.to), http.Header{"Content-Type": {"application/json"}}, body)
	switch {
	case p.flaw == "tells its secret" && err != nil:
		return "", fmt.Errorf("post %s: %w", p.to, err)
	case p.flaw == "own errors" && err != nil:
		return "", errors.New("it did not work")
	}
	return "r", err
}

// library is how one would do it without a thought.
func (p *plain) library(ctx context.Context, out []string) (string, error) {
	body, _ := json.Marshal(out) // plain texts always encode
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to, strings.NewReader(string(body)))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", &alerts.RetryError{Err: err}
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return "r", err
}

func suite(flaw string) alertstest.Suite {
	return alertstest.Suite{
		Name: "plain", Revisions: alertstest.Appends,
		Handler: func(testing.TB) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
		},
		New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
			timeout := s.Timeout
			if flaw == "cut off" {
				timeout = 2 * time.Minute
			}
			c, err := outbound.New(outbound.Config{Channel: "plain", AllowPrivate: true, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return &plain{to: s.URL + "/" + alertstest.Canary, client: c, flaw: flaw, server: s}
		},
	}
}

func TestSuite(t *testing.T) { alertstest.Run(t, suite("")) }

// TestSuiteBites: a notifier with a flaw fails, at the test that is there for it.
func TestSuiteBites(t *testing.T) {
	if flaw := os.Getenv("VIGIL_TEST_FLAW"); flaw != "" {
		alertstest.Run(t, suite(flaw))
		return
	}
	t.Parallel()
	for flaw, at := range map[string]string{
		"links": "links", "invisible": "tells", "silent about digests": "tells", "untitled": "tells", "cut off": "ends",
		"logs its secret": "tells", "tells its secret": "faults", "own errors": "faults", "library": "redirect",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			only := "TestSuiteBites/" + at
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSuiteBites$/^"+at+"$")
			cmd.Env = append(os.Environ(), "VIGIL_TEST_FLAW="+flaw)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("it passes:\n%s", out)
			}
			if !strings.Contains(string(out), "--- FAIL: "+only) && ctx.Err() == nil {
				t.Errorf("it fails elsewhere:\n%s", out)
			}
		})
	}
}
