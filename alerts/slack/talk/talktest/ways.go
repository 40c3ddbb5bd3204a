package talktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil/alerts/slack/talk"
)

// Way is how Slack reaches us.
type Way interface {
	// Deliver brings something of a kind of Slack's ("interactive", "slash_commands",
	// "events_api") and returns the answer; ok is false when it was refused.
	Deliver(tb testing.TB, kind string, payload any) (answer []byte, ok bool)
}

// OverHTTP posts to the handler at URL, signed with Secret by a clock.
type OverHTTP struct {
	URL string
	Now func() time.Time
	n   int
}

// Deliver implements Way.
func (h *OverHTTP) Deliver(tb testing.TB, kind string, payload any) ([]byte, bool) {
	tb.Helper()
	var path, media, body string
	switch kind {
	case "slash_commands":
		f := url.Values{}
		for k, v := range payload.(map[string]any) {
			f.Set(k, v.(string))
		}
		path, body = talk.PathCommands, f.Encode()
	case "events_api":
		raw := marshal(tb, payload)
		path, media, body = talk.PathEvents, "application/json", string(raw)
	default:
		raw := marshal(tb, payload)
		path, body = talk.PathActions, url.Values{"payload": {string(raw)}}.Encode()
	}
	if media == "" {
		media = "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, h.URL+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	// Slack's requests have their own time; two of one second are told apart by it here.
	h.n++
	ts := strconv.FormatInt(h.Now().Unix()-int64(h.n%200), 10)
	req.Header.Set("X-Slack-Request-Timestamp", ts)
	req.Header.Set("X-Slack-Signature", Sign(Secret, ts, body))
	// Nothing stays open, for tests that look for what is left behind.
	client := &http.Client{Timeout: Patient, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer, resp.StatusCode == http.StatusOK
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// Sign is Slack's signature of a body at a time.
func Sign(secret, ts, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "v0:"+ts+":"+body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// OverSocket sends on a Socket Mode connection.
type OverSocket struct {
	Workspace *Workspace
	Sock      *Sock
	n         int
}

// Deliver implements Way.
func (s *OverSocket) Deliver(tb testing.TB, kind string, payload any) ([]byte, bool) {
	tb.Helper()
	s.n++
	id := fmt.Sprintf("envelope-%d", s.n)
	s.Sock.Send(map[string]any{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind != "events_api"})
	select {
	case a := <-s.Workspace.acks:
		if a.Envelope != id {
			tb.Fatalf("%s was acknowledged for %s", a.Envelope, id)
		}
		if string(a.Payload) == "null" {
			a.Payload = nil
		}
		return a.Payload, true
	case <-time.After(Patient):
		tb.Fatal("not acknowledged")
		return nil, false
	}
}

// NewSock is the connection that vigil opens next.
func (w *Workspace) NewSock(tb testing.TB) *Sock {
	tb.Helper()
	select {
	case s := <-w.socks:
		return s
	case <-time.After(Patient):
		tb.Fatal("no socket was opened")
		return nil
	}
}
