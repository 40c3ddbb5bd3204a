package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
	"vigil/client"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/privacy"
)

// officeKey is the key of the pseudonyms in these tests.
const officeKey = "0123456789abcdef0123456789abcdef"

// worked is a running service whose cases are worked on in Slack.
type worked struct {
	*watched
	slack *talktest.Workspace
	cfg   *config.Config
	names *privacy.Pseudonymizer
}

// slackConfig is a configuration that tells cases in a Slack.
func slackConfig(t *testing.T, s *talktest.Workspace) *config.Config {
	t.Helper()
	cfg := configure(t, t.TempDir())
	cfg.PseudonymKey, cfg.ConsoleURL = config.NewSecret(officeKey), talktest.Console
	cfg.Slack = config.Slack{Token: config.NewSecret(talktest.BotToken), Channel: "C1", APIURL: s.URL + "/api/", NoPictures: true}
	cfg.Users = []config.User{
		{Name: "ann", Roles: []access.Role{access.RoleAnalyst, access.RolePrivacy}, Slack: "U0ANN"},
		{Name: "bob", Roles: []access.Role{access.RoleResponder}, Slack: "U0BOB", Actors: []string{"bob_db"}},
		{Name: "vic", Roles: []access.Role{access.RoleViewer}, Slack: "U0VIC"},
	}
	return cfg
}

// work starts a service in which a finding about each login has just arisen.
func work(t *testing.T, change func(*config.Config), logins ...string) *worked {
	t.Helper()
	w := &worked{slack: talktest.New(t)}
	w.cfg = slackConfig(t, w.slack)
	change(w.cfg)
	var err error
	if w.names, err = privacy.New([]byte(officeKey), privacy.Options{}); err != nil {
		t.Fatal(err)
	}
	var news []vigil.Finding
	for _, l := range logins {
		news = append(news, w.found(l))
	}
	if len(news) > 0 {
		app.KeepNews(t, w.cfg.DataDir, news...)
	}
	w.watched = begin(t, w.cfg, app.Options{})
	w.slack.Way = &talktest.OverHTTP{URL: w.URL(), Now: time.Now}
	t.Cleanup(func() {
		for _, secret := range []string{"canary", talktest.BotToken, talktest.AppToken, officeKey} {
			if strings.Contains(w.logs.String(), secret) {
				t.Errorf("the log tells %q", secret)
			}
		}
	})
	return w
}

// found is a finding about a login.
func (w *worked) found(login string) vigil.Finding {
	now := time.Now().UTC().Truncate(time.Second)
	return vigil.Finding{
		ID: "f-" + login, Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: w.names.Actor("", login), ActorKind: vigil.KindHuman, Role: "agent",
		Start: now.Add(-2 * time.Hour), End: now.Add(-time.Hour), Detected: now, Severity: vigil.SeverityHigh, Harm: 3, Lane: "day",
		Evidence: 6, Threshold: 4, Sentence: "It read 212 customers of " + login + "'s desk.", Subjects: 212, Events: 400, Rows: vigil.Unknown, Conversations: vigil.Unknown, Stores: []string{"pg"},
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 212, Expected: 9, High: 31, P: 1e-7, Share: 1}},
	}
}

// card is a case's message.
type card struct {
	call talktest.Call
	ts   string
}

// card waits for the card of a login's case.
func (w *worked) card(login string) card {
	w.t.Helper()
	c := w.slack.Find(w.t, "the card of "+login, func(c talktest.Call) bool {
		return c.Method == "chat.postMessage" && c.Str("channel") == "C1" && c.Str("thread_ts") == "" && strings.Contains(text(c), login+"'s desk")
	})
	talktest.CheckBlocks(w.t, c.JSON("blocks"))
	return card{c, c.Answer}
}

func text(c talktest.Call) string { return talktest.Texts(c.JSON("blocks")) + c.Str("text") }

// edited waits until a card says something.
func (w *worked) edited(c card, says string) {
	w.t.Helper()
	w.slack.Find(w.t, "an edit that says "+says, func(e talktest.Call) bool {
		return e.Method == "chat.update" && e.Str("ts") == c.ts && strings.Contains(text(e), says)
	})
}

// replied waits until something is said below a card.
func (w *worked) replied(c card, says string) {
	w.t.Helper()
	w.slack.Find(w.t, "a reply that says "+says, func(e talktest.Call) bool {
		return e.Method == "chat.postMessage" && e.Str("thread_ts") == c.ts && strings.Contains(text(e), says)
	})
}

// told waits until somebody alone is told something.
func (w *worked) told(user, says string) {
	w.t.Helper()
	w.slack.Find(w.t, user+" is told "+says, func(e talktest.Call) bool {
		return e.Method == "chat.postEphemeral" && e.Str("user") == user && strings.Contains(text(e), says)
	})
}

// press is what Slack sends when somebody presses a button of a card.
func (w *worked) press(user string, c card, action string) map[string]any {
	w.t.Helper()
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
			Value  string
		}
	}
	if err := json.Unmarshal(c.call.JSON("blocks"), &blocks); err != nil {
		w.t.Fatal(err)
	}
	for _, b := range blocks {
		for _, e := range b.Elements {
			if e.Action != action {
				continue
			}
			p := w.slack.PressPayload(user, action, e.Value)
			p["container"] = map[string]any{"type": "message", "channel_id": "C1", "message_ts": c.ts}
			p["message"] = map[string]any{"text": c.call.Str("text"), "ts": c.ts}
			p["actions"].([]any)[0].(map[string]any)["block_id"] = b.ID
			return p
		}
	}
	w.t.Fatalf("the card has no %s: %s", action, c.call.JSON("blocks"))
	return nil
}

func (w *worked) pressed(user string, c card, action string) {
	w.t.Helper()
	if answer, ok := w.slack.Way.Deliver(w.t, "interactive", w.press(user, c, action)); !ok || len(answer) > 0 {
		w.t.Fatalf("a press of %s is answered by %q, %v", action, answer, ok)
	}
}

// opened is the dialogue that a press has opened, once it shows what it is about.
func (w *worked) opened() talktest.Dialogue {
	w.t.Helper()
	d := w.slack.Opened(w.t)
	if strings.Contains(d.View.Text(), "One moment") {
		d.View = talktest.ReadView(w.t, w.slack.Next(w.t, "views.update").JSON("view"))
	}
	return d
}

// typed is what a command is answered, however late.
func (w *worked) typed(user, words string) string {
	w.t.Helper()
	if said, raw := w.slack.Typed(w.t, user, words); raw != nil {
		return said
	}
	return talktest.Texts(w.slack.Next(w.t, "respond").JSON("blocks"))
}

func (w *worked) audited(what string) bool {
	w.t.Helper()
	for _, line := range app.AuditTrail(w.t, w.App) {
		if strings.Contains(line, what) {
			return true
		}
	}
	return false
}

func overHTTP(cfg *config.Config) { cfg.Slack.SigningSecret = config.NewSecret(talktest.Secret) }

// A case is taken and judged by presses in Slack, and both show everywhere.
func TestSlackCaseIsWorkedOn(t *testing.T) {
	t.Parallel()
	w := work(t, overHTTP, "carla")
	c := w.card("carla")
	w.pressed("U0ANN", c, slack.ActionOpen) // is answered, and does nothing
	w.pressed("U0BOB", c, slack.ActionAcknowledge)
	w.told("U0BOB", "You have taken note of it.")
	w.edited(c, "<@U0BOB>")
	w.replied(c, "took note of it")
	if !w.audited("case acknowledged case c") {
		t.Errorf("not audited: %v", app.AuditTrail(t, w.App))
	}

	w.pressed("U0ANN", c, slack.ActionVerdict)
	d := w.opened()
	if text := d.View.Text(); !strings.Contains(text, "carla's desk") || !strings.Contains(text, "<@U0BOB> has it") {
		t.Errorf("the dialogue says %s", text)
	}
	w.slack.Submit(t, "U0ANN", &d, map[string]string{"word": "misuse", "note": "curiosity"})
	w.edited(c, "Reopen by verdict")
	w.replied(c, "curiosity")
	desk, err := app.OpenDesk(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	until(t, "the verdict", func() bool {
		f, err := desk.Finding(t.Context(), "f-carla")
		return err == nil && f.Verdict != nil && f.Verdict.Word == vigil.WordMisuse && f.Verdict.Note == "curiosity" && f.Verdict.By == w.names.Actor("", "ann")
	})
	if s := w.status(); strings.Contains(s.Note, "Slack") {
		t.Errorf("what is pressed is posted, and yet: %s", s.Note)
	}
	// Slack shows people by its own mention, and nobody else by name.
	if dump := w.dump(); strings.Contains(dump, "U0BOB") || strings.Contains(dump, "U0ANN") {
		t.Error("members' ids are kept")
	}
}

// What is expected is shown before it is, and then is.
func TestSlackExpected(t *testing.T) {
	t.Parallel()
	w := work(t, overHTTP, "carla", "dora")
	c := w.card("carla")
	w.pressed("U0ANN", c, slack.ActionExpect)
	d := w.opened()
	if text := d.View.Text(); !strings.Contains(text, "This account: up to ") || !strings.Contains(text, "this would have hidden*\n1 finding wholly") {
		t.Errorf("the dialogue says %s", text)
	}
	if s := w.slack.Submit(t, "U0ANN", &d, nil); s.Errors["note"] == "" {
		t.Errorf("no reason is asked for: %+v", s)
	}
	w.slack.Submit(t, "U0ANN", &d, map[string]string{"note": "the yearly audit"})
	w.replied(c, "expects it until")
	desk, err := app.OpenDesk(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	until(t, "the exception", func() bool {
		all, err := desk.Exceptions(t.Context())
		return err == nil && len(all) == 1 && all[0].Finding == "f-carla" && all[0].Note == "the yearly audit" && all[0].Who.Actor == w.names.Actor("", "carla")
	})

	// A silence shows what it would have kept back, and is made by its second page.
	if said, _ := w.slack.Typed(t, "U0ANN", "silence "+w.names.Actor("", "dora")); said != "" {
		t.Fatalf("the command is answered by %s", said)
	}
	d = w.opened()
	s := w.slack.Submit(t, "U0ANN", &d, map[string]string{"for": "1h", "note": "is on leave"})
	if text := d.View.Text(); s.Action != "update" || !strings.Contains(text, "1 finding wholly") || !strings.Contains(text, "dora's desk") {
		t.Errorf("%+v says %s", s, text)
	}
	w.slack.Submit(t, "U0ANN", &d, nil)
	until(t, "the silence", func() bool {
		all, err := desk.Silences(t.Context())
		return err == nil && len(all) == 1 && all[0].Note == "is on leave" && all[0].Match.Actors[0] == w.names.Actor("", "dora")
	})
	if !w.audited("silence made") {
		t.Error("the silence is not audited")
	}
}

// Who is no user, whose role does not allow it, and whom a case is about are refused;
// and the latter is asked, and answers.
func TestSlackWhoMayWhat(t *testing.T) {
	t.Parallel()
	w := work(t, overHTTP, "bob_db")
	c := w.card("bob_db")
	for user, says := range map[string]string{"U0BOB": "about yourself", "U0EVE": "no user of vigil", "U0VIC": "Your role does not allow this"} {
		w.pressed(user, c, slack.ActionAcknowledge)
		w.told(user, says)
	}
	if w.audited("case acknowledged") {
		t.Error("what was refused was done")
	}

	w.pressed("U0ANN", c, slack.ActionAsk)
	d := w.opened()
	if raw := string(d.View.Raw); !strings.Contains(raw, "Was this you") || strings.Contains(raw, "U0BOB") {
		t.Errorf("who asks sees %s", raw)
	}
	w.slack.Submit(t, "U0ANN", &d, nil)
	dm := w.slack.Find(t, "the question", func(c talktest.Call) bool {
		return c.Method == "chat.postMessage" && c.Str("channel") == "DU0BOB"
	})
	if text := text(dm); !strings.Contains(text, "read data of 212 customers in pg") || strings.Contains(text, "desk") {
		t.Errorf("the question is %s", text)
	}
	w.edited(c, "none yet")
	answer := w.slack.PressPayload("U0VIC", "vigil.mine", questioned(t, dm))
	answer["container"] = map[string]any{"type": "message", "channel_id": "DU0BOB", "message_ts": talktest.Direct}
	// Nobody answers for somebody else.
	w.slack.Way.Deliver(t, "interactive", answer)
	d = w.opened()
	w.slack.Submit(t, "U0VIC", &d, map[string]string{"note": "it was me instead"})
	answer["user"], answer["trigger_id"] = talktest.By("U0BOB"), w.slack.Trigger()
	w.slack.Way.Deliver(t, "interactive", answer)
	d = w.opened()
	w.slack.Submit(t, "U0BOB", &d, map[string]string{"note": "the refund campaign"})
	w.replied(c, "the refund campaign")
	w.edited(c, "the refund campaign")
	w.slack.Find(t, "thanks", func(c talktest.Call) bool {
		return c.Method == "chat.update" && c.Str("channel") == "DU0BOB" && strings.Contains(text(c), "Thank you")
	})
	if !w.audited("person asked") || !w.audited("person answered") {
		t.Errorf("not audited: %v", app.AuditTrail(t, w.App))
	}
	for _, line := range app.AuditTrail(t, w.App) {
		if strings.Contains(line, "instead") {
			t.Error(line)
		}
	}
}

// Who works elsewhere than in Slack has the person asked there all the same, and what they
// answer comes into the case.
func TestSlackAskedFromOutside(t *testing.T) {
	t.Parallel()
	w := work(t, overHTTP, "bob_db")
	c := w.card("bob_db")
	desk, err := app.OpenDesk(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	cases, _, err := desk.Cases(t.Context(), client.CaseFilter{}, 1)
	if err != nil || len(cases) != 1 {
		t.Fatal(cases, err)
	}
	ask := api.CaseAct{Case: cases[0].ID, Deed: access.DeedAsk, Preview: true}
	shown, err := desk.Work(t.Context(), "ann", ask)
	if err != nil || !strings.Contains(shown.Question, "read data of 212 customers in pg") || !w.audited("person looked up") {
		t.Fatalf("%+v, %v", shown, err)
	}
	ask.Preview = false
	// Slack can't deliver it: that is told, and the case does not say that they were asked.
	w.slack.Expect("conversations.open", talktest.Refuse("user_disabled"))
	if _, err := desk.Work(t.Context(), "ann", ask); err == nil || !strings.Contains(err.Error(), "deactivated") {
		t.Errorf("not delivered: %v", err)
	}
	if x, err := desk.Case(t.Context(), ask.Case); err != nil || x.Asked != nil || !strings.Contains(x.Events[len(x.Events)-1].Text, "could not be delivered") {
		t.Errorf("after it was not delivered: %+v, %v", x, err)
	}
	if _, err := desk.Work(t.Context(), "ann", ask); err != nil {
		t.Fatal(err)
	}
	dm := w.slack.Find(t, "the question", func(c talktest.Call) bool {
		return c.Method == "chat.postMessage" && c.Str("channel") == "DU0BOB"
	})
	if got := text(dm); !strings.Contains(got, shown.Question) {
		t.Errorf("asked %s, shown %s", got, shown.Question)
	}
	w.edited(c, "none yet")
	answer := w.slack.PressPayload("U0BOB", "vigil.not_mine", questioned(t, dm))
	answer["container"] = map[string]any{"type": "message", "channel_id": "DU0BOB", "message_ts": talktest.Direct}
	w.slack.Way.Deliver(t, "interactive", answer)
	until(t, "the answer", func() bool {
		x, err := desk.Case(t.Context(), ask.Case)
		return err == nil && x.Asked != nil && !x.Asked.Answered.IsZero() && !x.Asked.Mine
	})
	if !w.audited("person asked") || !w.audited("person answered") || strings.Contains(w.get("/cases/"+ask.Case), "U0BOB") {
		t.Errorf("not audited, or the page tells who it is: %v", app.AuditTrail(t, w.App))
	}
}

// questioned is the case that a question carries.
func questioned(t *testing.T, dm talktest.Call) string {
	t.Helper()
	var blocks []struct{ Elements []struct{ Value string } }
	if err := json.Unmarshal(dm.JSON("blocks"), &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		for _, e := range b.Elements {
			if e.Value != "" {
				return e.Value
			}
		}
	}
	t.Fatal("the question has no buttons")
	return ""
}

// Vigil is asked by its command; who read a customer's data is for the privacy officer,
// and it is written down who asked.
func TestSlackCommands(t *testing.T) {
	t.Parallel()
	w := work(t, overHTTP, "carla")
	w.card("carla")
	at := day()
	resp, body := send(t, w.PushURL(), token, line(at, "e1", "dora", `,"store":"pg","subjects":["customer-7"]`)+line(at.Add(time.Minute), "e2", "dora", `,"store":"pg","subjects":["customer-7"]`), false)
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("push: %d %s", resp.StatusCode, body)
	}
	until(t, "the events", func() bool { return w.status().accepted("bot") == 2 })
	app.Judged(t, w.App)

	subject := w.names.Subject("", "customer-7")
	if said := w.typed("U0VIC", "readers customer-7"); !strings.Contains(said, "role does not allow") {
		t.Errorf("a viewer is told %s", said)
	}
	if w.audited("readers of") {
		t.Error("what was refused is written down as done")
	}
	said := w.typed("U0ANN", "readers customer-7")
	if !strings.Contains(said, "1 account read data of this customer in the last 90 days, in 2 accesses") || !strings.Contains(said, w.names.Actor("", "dora")+": 2 accesses, on ") || strings.Contains(said, "dora:") {
		t.Errorf("the privacy officer is told %s", said)
	}
	if !w.audited(w.names.Actor("", "ann") + " look readers of " + subject) {
		t.Errorf("not audited: %v", app.AuditTrail(t, w.App))
	}
	if said := w.typed("U0VIC", "status"); !strings.Contains(said, "vigil watches 1 source.") || !strings.Contains(said, "1 case is not resolved") {
		t.Errorf("status: %s", said)
	}
	said = w.typed("U0BOB", "top")
	if !strings.Contains(said, "1 case is not resolved") || strings.Count(said, w.names.Actor("", "carla")) != 1 || !strings.Contains(said, "nobody has it") {
		t.Errorf("top: %s", said)
	}
	if said := w.typed("U0EVE", "status"); !strings.Contains(said, "no user of vigil") {
		t.Errorf("a stranger is told %s", said)
	}
}

// What Slack did not sign gets a bare refusal, whoever it is for; what stands before the
// console, its names and its pages alone, does not stand in Slack's way.
func TestSlackRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		base   func(w *worked) string
	}{
		{"listen", func(*config.Config) {}, func(w *worked) string { return w.URL() }},
		{"push_listen", func(cfg *config.Config) { cfg.PushListen = "127.0.0.1:0" }, func(w *worked) string { return strings.TrimSuffix(w.PushURL(), "/v1/events") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := work(t, func(cfg *config.Config) { overHTTP(cfg); c.change(cfg) })
			base := c.base(w)
			now := time.Now().Unix()
			body := "command=%2Fvigil&text=status&user_id=U0VIC&team_id=T1&channel_id=C9&trigger_id=1.2.3"
			ask := func(base, method, path, secret string, at int64) (int, string) {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Host = "vigil.example" // a proxy's, not the console's
				ts := strconv.FormatInt(at, 10)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				req.Header.Set("Origin", "https://elsewhere.example")
				req.Header.Set("Sec-Fetch-Site", "cross-site")
				req.Header.Set("X-Slack-Request-Timestamp", ts)
				req.Header.Set("X-Slack-Signature", talktest.Sign(secret, ts, body))
				resp, err := testClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				raw, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp.StatusCode, string(raw)
			}
			for _, path := range []string{talk.PathActions, talk.PathCommands, talk.PathEvents} {
				if code, said := ask(base, "POST", path, "wrong", now); code != http.StatusUnauthorized || said != "" {
					t.Errorf("%s with a wrong signature: %d %q", path, code, said)
				}
			}
			if code, said := ask(base, "POST", talk.PathCommands, talktest.Secret, now-3600); code != http.StatusUnauthorized || said != "" {
				t.Errorf("an old one: %d %q", code, said)
			}
			if code, said := ask(base, "POST", talk.PathCommands, talktest.Secret, now); code != http.StatusOK || said != "" && !strings.Contains(said, "vigil watches") {
				t.Errorf("a good one: %d %q", code, said)
			}
			if code, said := ask(base, "POST", talk.PathCommands, talktest.Secret, now); code != http.StatusUnauthorized || said != "" {
				t.Errorf("the same again: %d %q", code, said)
			}
			for _, method := range []string{"GET", "POST"} {
				for _, path := range []string{"/slack/", "/slack/else", "/slack/actions/more"} {
					if code, said := ask(base, method, path, talktest.Secret, now); code != http.StatusNotFound || len(said) > 25 {
						t.Errorf("%s %s: %d %q", method, path, code, said)
					}
				}
			}
			if code, _ := ask(base, "GET", talk.PathActions, talktest.Secret, now); code != http.StatusMethodNotAllowed {
				t.Errorf("GET: %d", code)
			}
			if base != w.URL() {
				if code, _ := ask(w.URL(), "POST", talk.PathCommands, talktest.Secret, now-1); code == http.StatusOK {
					t.Error("the console's address answers Slack, though push_listen is set")
				}
			}
		})
	}
}

// By Socket Mode the same is done, and nothing listens for Slack.
func TestSlackSocketMode(t *testing.T) {
	t.Parallel()
	w := work(t, func(cfg *config.Config) { cfg.Slack.AppToken = config.NewSecret(talktest.AppToken) }, "carla")
	c := w.card("carla")
	if code, _ := fetch(t, w.URL()+talk.PathActions); code != http.StatusNotFound {
		t.Errorf("%s: %d", talk.PathActions, code)
	}
	w.slack.Way = &talktest.OverSocket{Workspace: w.slack, Sock: w.slack.NewSock(t)}
	w.pressed("U0BOB", c, slack.ActionAcknowledge)
	w.edited(c, "<@U0BOB>")
	w.replied(c, "took note of it")
	if said := w.typed("U0VIC", "top"); !strings.Contains(said, "<@U0BOB> has it") {
		t.Errorf("top: %s", said)
	}
	if !w.audited("case acknowledged") {
		t.Error("not audited")
	}
	if err := w.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(fmt.Errorf("stop with an open socket: %w", err))
	}
}
