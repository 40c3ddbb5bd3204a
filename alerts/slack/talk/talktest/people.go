package talktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
)

// Trigger is a fresh trigger_id, with which one dialogue may be opened.
func (w *Workspace) Trigger() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	id := fmt.Sprintf("%d.42.trigger", w.n)
	w.triggers[id] = false
	return id
}

// TS is a fresh timestamp of an action.
func (w *Workspace) TS() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return fmt.Sprintf("1700000000.%06d", w.n)
}

// By is a user of the workspace, as a payload names them.
func By(user string) map[string]any { return map[string]any{"id": user, "team_id": "T1"} }

// PressPayload is a press of a button on a card; of the menu, value is the chosen
// button's name, of case-1.
func (w *Workspace) PressPayload(user, action, value string) map[string]any {
	a := map[string]any{"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": w.TS()}
	if action == slack.ActionMore {
		a = map[string]any{"action_id": action, "block_id": slack.BlockOf(&vigil.Case{ID: "case-1", Revision: 7}), "type": "overflow", "selected_option": map[string]any{"value": value}, "action_ts": w.TS()}
	}
	return map[string]any{
		"type": "block_actions", "user": By(user), "team": map[string]any{"id": "T1"}, "trigger_id": w.Trigger(),
		"channel":   map[string]any{"id": "C1"},
		"message":   map[string]any{"text": "Was this you at 14:00? &lt;b&gt;", "ts": "1700000000.000100"},
		"container": map[string]any{"type": "message", "channel_id": "C1", "message_ts": "1700000000.000100"},
		"actions":   []any{a},
	}
}

// Press presses it.
func (w *Workspace) Press(tb testing.TB, user, action, value string) {
	tb.Helper()
	if answer, ok := w.Way.Deliver(tb, "interactive", w.PressPayload(user, action, value)); !ok || len(answer) > 0 {
		tb.Fatalf("a press of %s is answered by %q, %v", action, answer, ok)
	}
}

// Dialogue is an open one.
type Dialogue struct {
	ID   string
	View View
}

// View is what it shows.
type View struct {
	Callback string           `json:"callback_id"`
	Meta     string           `json:"private_metadata"`
	Blocks   []map[string]any `json:"blocks"`
	Submit   map[string]any   `json:"submit"`
	Raw      []byte
}

// Opened is the dialogue that a press opens.
func (w *Workspace) Opened(tb testing.TB) Dialogue {
	tb.Helper()
	c := w.Next(tb, "views.open")
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, raw := range w.views {
		if bytes.Equal(raw, c.JSON("view")) {
			return Dialogue{id, ReadView(tb, raw)}
		}
	}
	tb.Fatal("no dialogue is open")
	return Dialogue{}
}

// ReadView reads a dialogue and holds it to Slack's limits.
func ReadView(tb testing.TB, raw []byte) View {
	tb.Helper()
	var v View
	if err := json.Unmarshal(raw, &v); err != nil {
		tb.Fatal(err)
	}
	v.Raw = raw
	CheckView(tb, raw)
	return v
}

// Text is all that is written in it, a line each.
func (v View) Text() string { return Texts(v.Raw) }

// state is what is typed and chosen: a value, or what a select's option or user is.
func (v View) state(values map[string]string) map[string]any {
	out := map[string]any{}
	for _, b := range v.Blocks {
		if b["type"] != "input" {
			continue
		}
		e := b["element"].(map[string]any)
		name := e["action_id"].(string)
		in := map[string]any{"type": e["type"]}
		val, ok := values[name]
		switch e["type"] {
		case "plain_text_input":
			in["value"] = nil
			if !ok {
				val, ok = e["initial_value"].(string)
			}
			if ok {
				in["value"] = val
			}
		case "users_select":
			if ok {
				in["selected_user"] = val
			}
		default:
			in["selected_option"] = nil
			if !ok {
				if o, has := e["initial_option"].(map[string]any); has {
					val, ok = o["value"].(string), true
				}
			}
			if ok {
				in["selected_option"] = map[string]any{"value": val}
			}
		}
		out[b["block_id"].(string)] = map[string]any{name: in}
	}
	return map[string]any{"values": out}
}

// ViewPayload is a dialogue with what is typed and chosen in it.
func (w *Workspace) ViewPayload(d Dialogue, values map[string]string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"id": d.ID, "hash": w.hash[d.ID], "callback_id": d.View.Callback, "private_metadata": d.View.Meta, "state": d.View.state(values)}
}

// Submitted is Slack's answer to a submission.
type Submitted struct {
	Action string            `json:"response_action"`
	View   json.RawMessage   `json:"view"`
	Errors map[string]string `json:"errors"`
}

// SubmitPayload is a submission.
func (w *Workspace) SubmitPayload(user string, d Dialogue, values map[string]string) map[string]any {
	return map[string]any{
		"type": "view_submission", "user": By(user), "team": map[string]any{"id": "T1"}, "trigger_id": w.Trigger(),
		"view": w.ViewPayload(d, values),
	}
}

// Submit submits a Dialogue, which then shows what the answer says.
func (w *Workspace) Submit(tb testing.TB, user string, d *Dialogue, values map[string]string) Submitted {
	tb.Helper()
	raw, ok := w.Way.Deliver(tb, "interactive", w.SubmitPayload(user, *d, values))
	if !ok {
		tb.Fatal("the submission was refused")
	}
	var s Submitted
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			tb.Fatal(err)
		}
		if len(raw) >= 20<<10 {
			tb.Errorf("an answer of %d bytes is dropped by Slack", len(raw))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	switch s.Action {
	case "":
		delete(w.views, d.ID)
	case "update":
		d.View = ReadView(tb, s.View)
		w.views[d.ID], w.hash[d.ID] = s.View, fmt.Sprintf("h%d", w.n)
	case "errors":
		for name := range s.Errors {
			if !strings.Contains(string(d.View.Raw), `"block_id":"`+name+`"`) {
				tb.Errorf("an error for %q, which is no input", name)
			}
		}
	default:
		tb.Errorf("an unknown answer: %s", raw)
	}
	return s
}

// Choose changes a choice in a dialogue, and shows what it is updated to.
func (w *Workspace) Choose(tb testing.TB, user string, d *Dialogue, values map[string]string, name string) {
	tb.Helper()
	w.Way.Deliver(tb, "interactive", map[string]any{
		"type": "block_actions", "user": By(user), "team": map[string]any{"id": "T1"}, "trigger_id": w.Trigger(),
		"container": map[string]any{"type": "view", "view_id": d.ID},
		"actions":   []any{map[string]any{"action_id": name, "block_id": name, "type": "static_select", "action_ts": w.TS(), "selected_option": map[string]any{"value": values[name]}}},
		"view":      w.ViewPayload(*d, values),
	})
	d.View = ReadView(tb, w.Next(tb, "views.update").JSON("view"))
}

// Typed types a command, and returns the words of its answer and the answer.
func (w *Workspace) Typed(tb testing.TB, user, words string) (string, []byte) {
	tb.Helper()
	raw, ok := w.Way.Deliver(tb, "slash_commands", w.TypedPayload(user, words))
	if !ok {
		tb.Fatal("the command was refused")
	}
	if len(raw) == 0 {
		return "", nil
	}
	var a struct {
		Type   string          `json:"response_type"`
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(raw, &a); err != nil || a.Type != "ephemeral" {
		tb.Fatalf("%s: %v", raw, err)
	}
	CheckBlocks(tb, a.Blocks)
	return Texts(a.Blocks), raw
}

// TypedPayload is a command.
func (w *Workspace) TypedPayload(user, words string) map[string]any {
	return map[string]any{
		"command": talk.Command, "text": words, "user_id": user, "team_id": "T1", "channel_id": "C9",
		"trigger_id": w.Trigger(), "response_url": w.URL + "/api/respond",
	}
}

// Told is what somebody is shown, and nobody else.
func (w *Workspace) Told(tb testing.TB, user string) string {
	tb.Helper()
	c := w.Next(tb, "chat.postEphemeral")
	if c.Str("user") != user || c.Str("channel") == "" {
		tb.Errorf("%s is told in %q", c.Str("user"), c.Str("channel"))
	}
	CheckBlocks(tb, c.JSON("blocks"))
	return Texts(c.JSON("blocks"))
}
