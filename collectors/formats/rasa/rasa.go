// Package rasa reads what a Rasa assistant did in its conversations: tracker dumps, the
// events that its event broker publishes, and rows of its SQL tracker store.
package rasa

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "rasa",
		Tells: formats.Tells{
			Title: "Rasa", Group: formats.GroupBots, Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.No,
			Note: "Custom actions by the bot for its sender; who reads the tracker store is in that database's log.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// kinds are Rasa's kinds of events.
var kinds = map[string]bool{
	"action": true, "user": true, "bot": true, "slot": true, "restart": true, "reset_slots": true, "reminder": true, "cancel_reminder": true, "pause": true, "resume": true,
	"export": true, "undo": true, "rewind": true, "followup": true, "session_started": true, "active_loop": true, "form": true, "loop_interrupted": true, "form_validation": true,
	"user_featurization": true, "entities": true, "action_execution_rejected": true, "agent": true, "warning_predicted": true, "user_utterance_featurization": true,
	"stack": true, "flow_started": true, "flow_interrupted": true, "flow_resumed": true, "flow_completed": true, "flow_cancelled": true, "dialogue_stack": true,
	"routing_session_ended": true, "session_ended": true, "agent_started": true, "agent_completed": true, "agent_interrupted": true, "agent_resumed": true, "agent_cancelled": true,
	"delayed_bot": true, "clear_events": true,
}

func isTracker(v gjson.Result) bool {
	return v.Get("sender_id").Exists() && v.Get("events").IsArray() && (v.Get("slots").Exists() || v.Get("latest_message").Exists() || v.Get("events.0.event").Exists())
}

func isRow(v gjson.Result) bool {
	return v.Get("sender_id").Exists() && v.Get("type_name").Exists() && v.Get("timestamp").Exists()
}

func isEvent(v gjson.Result) bool {
	return kinds[v.Get("event").Str] && v.Get("timestamp").Type == gjson.Number
}

func sure(v gjson.Result) float64 {
	switch {
	case isTracker(v), isRow(v), isEvent(v) && v.Get("sender_id").Exists():
		return 0.95
	case isEvent(v): // an event of a long tracker, without its head
		return 0.6
	}
	return 0
}

type reader struct{}

// Read makes events of a record.
func (rd reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	switch {
	case isTracker(v):
		var errs []error
		assistant := r.Get("assistant_id", "events.#.metadata.assistant_id|0")
		v.Get("events").ForEach(func(_, one gjson.Result) bool {
			errs = append(errs, rd.event(r, one, r.Get("sender_id"), assistant, emit))
			return true
		})
		return errors.Join(errs...)
	case isRow(v):
		held := v.Get("data")
		if held.Type == gjson.String && gjson.Valid(held.Str) {
			held = gjson.Parse(held.Str)
		}
		if !held.IsObject() {
			held = v
		}
		return rd.event(r, held, r.Get("sender_id"), "", emit)
	}
	return rd.event(r, v, r.Get("sender_id"), "", emit)
}

// own are Rasa's own actions, which reach nothing beyond the conversation.
var own = map[string]bool{
	"action_listen": true, "action_restart": true, "action_session_start": true, "action_default_fallback": true, "action_deactivate_loop": true,
	"action_revert_fallback_events": true, "action_default_ask_affirmation": true, "action_default_ask_rephrase": true, "action_two_stage_fallback": true,
	"action_unlikely_intent": true, "action_back": true, "action_extract_slots": true, "action_run_slot_rejections": true, "action_clean_stack": true,
	"action_cancel_flow": true, "action_correct_flow_slot": true, "action_clarify_flows": true, "action_trigger_chitchat": true, "action_send_text": true,
	"action_metadata": true, "action_repeat_bot_messages": true, "action_hangup": true, "action_block_digressions": true, "action_continue_digression": true, "action_reset_routing": true,
}

// event reads one event. Only custom actions are accesses: they run the assistant's own
// code, which reads and writes what it is about. What is said, intents, slots and
// Rasa's own steps are the conversation itself.
func (rd reader) event(r *record.Record, v gjson.Result, sender, assistant string, emit func(*vigil.Event)) error {
	kind := v.Get("event").Str
	if kind == "" {
		kind = r.Get("type_name")
	}
	name := r.String(v.Get("name"), 128)
	if name == "" {
		name = r.Get("action_name")
	}
	rejected := kind == "action_execution_rejected"
	retrieves := name == "action_trigger_search"
	if kind != "action" && !rejected || name == "" || own[name] || strings.HasPrefix(name, "utter_") || strings.HasPrefix(name, "validate_") ||
		strings.HasPrefix(name, "flow_") || strings.HasSuffix(name, "_form") || strings.HasPrefix(name, "action_ask_") || strings.HasPrefix(name, "action_validate_") {
		return nil
	}
	e := r.Event()
	var ok bool
	stamp := v.Get("timestamp")
	if e.Time, ok = formats.Time(stamp.String(), nil); !ok {
		if e.Time, ok = formats.Time(r.Get("timestamp"), nil); !ok {
			return formats.ErrTime("timestamp")
		}
	}
	if s := r.String(v.Get("sender_id"), 512); s != "" {
		sender = s
	}
	for _, id := range []string{r.String(v.Get("metadata.assistant_id"), 256), assistant, "rasa"} {
		if e.Actor.ID == "" {
			e.Actor.ID = id
		}
	}
	// A tracker is dumped again and again: the same action is the same event.
	e.ID = fmt.Sprintf("%016x", formats.RecordHash([]byte(sender+"\x00"+stamp.Raw+"\x00"+name)))
	e.Actor.Kind = vigil.KindBot
	e.Principal, e.Conversation = sender, sender
	what := strings.TrimPrefix(name, "action_")
	if e.Action = formats.Verb(what); e.Action == vigil.ActionOther {
		e.Action = vigil.ActionExecute
	}
	if retrieves {
		e.Action = vigil.ActionSearch
	}
	e.Resource, e.Shape = name, "action "+name
	e.Outcome = vigil.OutcomeSuccess
	if rejected {
		e.Outcome = vigil.OutcomeError
	}
	emit(e)
	return nil
}
