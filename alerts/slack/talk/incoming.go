package talk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"vigil"
	"vigil/alerts"
)

// kind is what came.
type kind string

const (
	kindPress    kind = "block_actions"
	kindSubmit   kind = "view_submission"
	kindShortcut kind = "shortcut"
	kindCommand  kind = "command"
	// kindNone is what asks for nothing of ours, as when a dialogue is closed.
	kindNone kind = ""
)

// Bounds of what comes, in bytes.
const (
	maxBody    = 1 << 20 // one request or message
	maxID      = 128     // Slack's ids
	maxTrigger = 512
	maxValue   = 300 // a button's value: a case's id
	maxTyped   = 1_000
	maxInputs  = 50
	maxCommand = 1_000
	maxMeta    = 3_000 // Slack's bound for private_metadata
)

// place is where something was pressed, and so where its answer goes.
type place struct {
	Channel string `json:"c,omitempty"`
	// Message is the pressed message's timestamp, Thread that of the thread it is in.
	Message string `json:"m,omitempty"`
	Thread  string `json:"t,omitempty"`
}

// incoming is what somebody pressed, submitted or typed, in our words.
type incoming struct {
	kind kind
	// id is the same when Slack delivers the same twice.
	id      string
	by      alerts.Person
	at      place
	trigger string
	// action is the button's name, block that of its row, value what it carries, ts when
	// it was pressed.
	action, block, value, ts string
	// text is the pressed message's.
	text string
	// view is the dialogue it is about: its id, our name of it, what we keep in it and
	// what is typed and chosen there, by the input's name.
	view, dialogue string
	meta           meta
	values         map[string]string
	// words follow the command; reply is where its answer may go later.
	words, reply string
}

// payload is what Slack sends, as far as it is needed.
type payload struct {
	Type     string
	Trigger  string `json:"trigger_id"`
	Callback string `json:"callback_id"`
	ActionTS string `json:"action_ts"`
	Team     struct{ ID string }
	User     struct {
		ID   string
		Team string `json:"team_id"`
	}
	Channel   struct{ ID string }
	Message   struct{ Text string }
	Container struct {
		Channel string `json:"channel_id"`
		Message string `json:"message_ts"`
		Thread  string `json:"thread_ts"`
	}
	Actions []struct {
		input
		Action string `json:"action_id"`
		Block  string `json:"block_id"`
		TS     string `json:"action_ts"`
	}
	View struct {
		ID       string
		Hash     string
		Callback string `json:"callback_id"`
		Meta     string `json:"private_metadata"`
		State    struct{ Values map[string]map[string]input }
	}
}

// input is one input of a dialogue.
type input struct {
	Value  string
	Option *struct{ Value string } `json:"selected_option"`
	User   string                  `json:"selected_user"`
}

func (i input) text() string {
	switch {
	case i.Option != nil:
		return i.Option.Value
	case i.User != "":
		return i.User
	}
	return i.Value
}

// errPayload is of something that Slack does not send; its text quotes nothing of it.
var errPayload = errors.New("the payload is not one of Slack's")

func bad(what string) error { return fmt.Errorf("%w: %s", errPayload, what) }

// parsePayload reads an interaction.
func parsePayload(raw []byte) (incoming, error) {
	var p payload
	if len(raw) > maxBody {
		return incoming{}, bad("it is too long")
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return incoming{}, bad("it is not its JSON")
	}
	in := incoming{
		by:      alerts.Person{Channel: Channel, ID: p.User.ID, Workspace: p.User.Team},
		trigger: p.Trigger,
		at:      place{Channel: p.Container.Channel, Message: p.Container.Message, Thread: p.Container.Thread},
	}
	if in.by.Workspace == "" {
		in.by.Workspace = p.Team.ID
	}
	if in.at.Channel == "" {
		in.at.Channel = p.Channel.ID
	}
	// What makes a press itself, and not another: its trigger may differ between
	// deliveries.
	same := []string{p.Type, in.by.Workspace, in.by.ID}
	switch in.kind = kind(p.Type); in.kind {
	case kindPress:
		if len(p.Actions) != 1 {
			return incoming{}, bad("not one action")
		}
		a := p.Actions[0]
		in.action, in.block, in.value, in.ts, in.text = a.Action, a.Block, a.text(), a.TS, cut(p.Message.Text, maxMeta)
		same = append(same, in.at.Channel, in.at.Message, p.View.ID, a.Action, in.value, a.TS)
	case kindSubmit:
		same = append(same, p.View.ID, p.View.Hash, p.View.Callback)
	case kindShortcut:
		in.action = p.Callback
		same = append(same, p.Callback, p.ActionTS)
	default:
		in.kind = kindNone
		return in, nil
	}
	if p.View.ID != "" {
		in.view, in.dialogue = p.View.ID, p.View.Callback
		var err error
		if in.meta, err = readMeta(p.View.Meta); err != nil {
			return incoming{}, err
		}
		if in.at.Channel == "" {
			in.at = in.meta.At
		}
		if in.values, err = values(p.View.State.Values); err != nil {
			return incoming{}, err
		}
		if in.kind == kindSubmit {
			for _, name := range sortedKeys(in.values) {
				same = append(same, name, in.values[name])
			}
		}
	}
	if err := in.check(); err != nil {
		return incoming{}, err
	}
	in.id = idOf(same)
	return in, nil
}

// parseCommand reads a slash command out of its form.
func parseCommand(f url.Values) (incoming, error) {
	in := incoming{
		kind:    kindCommand,
		by:      alerts.Person{Channel: Channel, ID: f.Get("user_id"), Workspace: f.Get("team_id")},
		at:      place{Channel: f.Get("channel_id")},
		trigger: f.Get("trigger_id"),
		words:   typed(f.Get("text"), maxCommand),
		reply:   f.Get("response_url"),
	}
	if err := in.check(); err != nil {
		return incoming{}, err
	}
	in.id = idOf([]string{"command", in.by.Workspace, in.by.ID, in.at.Channel, in.trigger, in.words})
	return in, nil
}

// check holds all ids to what Slack's look like.
func (in *incoming) check() error {
	for _, s := range []struct {
		name, v  string
		max      int
		required bool
	}{
		{"a user", in.by.ID, maxID, true},
		{"a workspace", in.by.Workspace, maxID, false},
		{"a channel", in.at.Channel, maxID, false},
		{"a message", in.at.Message, maxID, false},
		{"a thread", in.at.Thread, maxID, false},
		{"a trigger", in.trigger, maxTrigger, in.kind == kindCommand || in.kind == kindShortcut},
		{"an action", in.action, maxID, in.kind == kindPress || in.kind == kindShortcut},
		{"an action's time", in.ts, maxID, in.kind == kindPress},
		{"a view", in.view, maxID, in.kind == kindSubmit},
		{"a dialogue", in.dialogue, maxID, in.kind == kindSubmit},
	} {
		if s.v == "" && s.required || len(s.v) > s.max || strings.ContainsFunc(s.v, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
		}) {
			return bad(s.name + " is missing or no id")
		}
	}
	if len(in.value) > maxValue || len(in.block) > maxValue || !utf8.ValidString(in.block) || !utf8.ValidString(in.value) || len(in.reply) > 1_000 {
		return bad("a value is too long or no text")
	}
	return nil
}

// values flattens a view's inputs: their names are ours, and one of a kind.
func values(state map[string]map[string]input) (map[string]string, error) {
	if len(state) > maxInputs {
		return nil, bad("too many inputs")
	}
	out := make(map[string]string, len(state))
	for _, block := range state {
		for name, i := range block {
			if len(out) == maxInputs || len(name) > maxID {
				return nil, bad("too many inputs")
			}
			out[name] = typed(i.text(), maxTyped)
		}
	}
	return out, nil
}

// idOf makes an act's id.
func idOf(parts []string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return "slack-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// typed makes what somebody typed one line of at most max bytes, of valid text.
func typed(s string, max int) string {
	return cut(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " "), max)
}

// cut shortens s to at most max bytes, never within a character.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.TrimSpace(s[:max])
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// meta is what a dialogue of ours carries with it, through Slack and back.
type meta struct {
	Case string `json:"case,omitempty"`
	At   place  `json:"at,omitzero"`
	// Seen are the choices whose consequences the dialogue shows.
	Seen string `json:"seen,omitempty"`
	// Question is what somebody answers.
	Question string `json:"q,omitempty"`
	// Silence is what a second page asks to confirm.
	Silence *silence `json:"silence,omitempty"`
}

// silence is a silence that is not made yet.
type silence struct {
	Actor    string         `json:"a,omitempty"`
	Source   string         `json:"s,omitempty"`
	Scenario string         `json:"n,omitempty"`
	Severity vigil.Severity `json:"v,omitempty"`
	For      string         `json:"f"`
	Note     string         `json:"r"`
}

// String is the meta as private_metadata. What does not fit is left out: a question is
// only repeated to who answers it.
func (m meta) String() string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil || utf8.RuneCountInString(b.String()) > maxMeta && m.Question != "" {
		m.Question = ""
		return m.String()
	}
	return strings.TrimSpace(b.String())
}

func readMeta(s string) (meta, error) {
	var m meta
	if s == "" {
		return m, nil
	}
	if len(s) > 4*maxMeta || json.Unmarshal([]byte(s), &m) != nil || len(m.Case) > maxValue {
		return meta{}, bad("the dialogue's own words are not ours")
	}
	return m, nil
}
