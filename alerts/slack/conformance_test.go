package slack_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/slack"
)

// TestConformance is what every channel over HTTP must do.
func TestConformance(t *testing.T) {
	passing := "Slack refuses by its own codes with status 200: another status is of something in between, and passes"
	refusal := func(code, remedy string, all bool) alertstest.Refusal {
		return alertstest.Refusal{Name: code, Answer: alertstest.Answer(200, "application/json", `{"ok":false,"error":"`+code+`"}`), All: all, Remedy: remedy}
	}
	alertstest.Run(t, alertstest.Suite{
		Name: "slack", Revisions: alertstest.Edits, Reads: true, Shown: shown,
		Handler: func(testing.TB) http.Handler {
			f := newService()
			f.token = alertstest.Canary
			f.next = int(time.Now().Unix()) - 1762160000 // its messages are of now
			return f
		},
		Held: func(h http.Handler) int {
			_, posts, _ := h.(*fakeSlack).state()
			return len(posts)
		},
		New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
			n, err := slack.New(slack.Config{Token: alertstest.Canary, Channel: "C1", APIURL: s.URL + "/api", ConsoleURL: alertstest.Console, Timeout: s.Timeout, Interactive: true, NoPictures: true},
				slack.Options{Logger: s.Logger, Mention: mention})
			if err != nil {
				t.Fatal(err)
			}
			return n // pictures have tests of their own
		},
		Leave:    map[string]string{"400": passing, "401": passing, "403": passing, "404": passing, "413": passing, "503 after 30": "the client keeps the wait of a 429 only"},
		Refusals: []alertstest.Refusal{refusal("invalid_auth", "bot token", true), refusal("is_archived", "unarchive", true), refusal("not_in_channel", "/invite", true), refusal("msg_too_long", "report", false)},
	})
}

// shown is what people see of a request, and where its buttons lead.
func shown(t testing.TB, r alertstest.Request) (text string, links []string) {
	t.Helper()
	form, err := url.ParseQuery(string(r.Body))
	if err != nil || !strings.Contains(r.Path, "/chat.") {
		return "", nil
	}
	var blocks any
	if b := form.Get("blocks"); b != "" {
		checkBlocks(t, []byte(b))
		if err := json.Unmarshal([]byte(b), &blocks); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				switch s, is := e.(string); {
				case is && k == "url":
					links = append(links, s)
				case is && (k == "text" || k == "alt_text"):
					out = append(out, s)
				default:
					walk(e)
				}
			}
		}
	}
	walk(blocks)
	return unescape.Replace(form.Get("text") + "\n" + strings.Join(out, "\n")), links
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
