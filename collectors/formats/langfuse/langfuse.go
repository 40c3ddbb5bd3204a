// Package langfuse reads Langfuse: exports of traces and observations (what tools a bot
// called and what it retrieved, for whom) and rows of its audit log (what people did in
// Langfuse). The audit rows follow the product's schema; none were at hand.
package langfuse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/genai"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "langfuse",
		Tells: formats.Tells{
			Title: "Langfuse", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Yes, Address: formats.No,
			Note: "Tools and retrievals within traces are accesses by the bot; Langfuse writes no log of who read a trace.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(opts formats.Options) (record.Reader, error) { return reader{opts.Mapping}, nil },
	})
}

// first takes the first of the keys that is there; exports to files write them with
// underscores.
func first(v gjson.Result, keys ...string) gjson.Result {
	for _, k := range keys {
		if f := v.Get(k); f.Exists() {
			return f
		}
	}
	return gjson.Result{}
}

func has(v gjson.Result, keys ...string) bool {
	for _, k := range keys {
		if !v.Get(k).Exists() {
			return false
		}
	}
	return true
}

func isAudit(v gjson.Result) bool {
	return has(v, "resourceType", "resourceId", "action", "orgId") || has(v, "resource_type", "resource_id", "action", "org_id")
}

func isObservation(v gjson.Result) bool {
	return has(v, "traceId", "startTime", "type") && (has(v, "projectId") || has(v, "parentObservationId") || has(v, "level")) ||
		has(v, "trace_id", "start_time", "type") && (has(v, "project_id") || has(v, "parent_observation_id"))
}

func isTrace(v gjson.Result) bool {
	return has(v, "id", "timestamp", "name") && (has(v, "projectId", "sessionId") || has(v, "project_id", "session_id") || v.Get("observations").IsArray() && has(v, "userId"))
}

func sure(v gjson.Result) float64 {
	switch {
	case isAudit(v), isObservation(v), isTrace(v),
		isTrace(v.Get("trace")) && v.Get("observations").IsArray():
		return 0.95
	}
	return 0
}

type reader struct{ mapping *formats.Mapping }

// context is what a trace tells of its observations.
type context struct {
	name, user, session string
	// agents are names of observations that are agents, parents what observations are
	// part of, by their ids.
	agents, parents map[string]string
}

// Read makes events of a record.
func (rd reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	if isAudit(v) {
		return audit(r, emit)
	}
	if isObservation(v) {
		return rd.observation(r, v, context{}, emit)
	}
	trace, list := v, v.Get("observations")
	if isTrace(v.Get("trace")) {
		trace = v.Get("trace")
	}
	c := context{
		name: r.String(trace.Get("name"), 256), user: r.String(first(trace, "userId", "user_id"), 512), session: r.String(first(trace, "sessionId", "session_id"), 512),
		agents: map[string]string{}, parents: map[string]string{},
	}
	list.ForEach(func(_, o gjson.Result) bool {
		id := o.Get("id").Str
		c.parents[id] = first(o, "parentObservationId", "parent_observation_id").Str
		switch get := attributes(r, o); {
		case get(genai.Agents...) != "":
			c.agents[id] = get(genai.Agents...)
		case strings.EqualFold(o.Get("type").Str, "AGENT"):
			c.agents[id] = strings.TrimPrefix(r.String(o.Get("name"), 256), "invoke_agent ")
		}
		return true
	})
	var errs []error
	list.ForEach(func(_, o gjson.Result) bool {
		if o.IsObject() { // lists of traces name their observations by their ids alone
			errs = append(errs, rd.observation(r, o, c, emit))
		}
		return true
	})
	return errors.Join(errs...)
}

// attributes gives an observation's attributes, as its instrumentation wrote them.
func attributes(r *record.Record, o gjson.Result) genai.Attribute {
	meta := o.Get("metadata")
	if meta.Type == gjson.String && gjson.Valid(meta.Str) {
		meta = gjson.Parse(meta.Str)
	}
	known := map[string]gjson.Result{}
	keep := func(key, value gjson.Result) bool {
		if _, ok := known[key.Str]; !ok {
			known[key.Str] = value
		}
		return true
	}
	meta.Get("attributes").ForEach(keep)
	meta.ForEach(keep)
	return func(keys ...string) string {
		for _, k := range keys {
			if s := r.String(known[k], 512); s != "" {
				return s
			}
		}
		return ""
	}
}

// observation reads one observation.
func (rd reader) observation(r *record.Record, o gjson.Result, c context, emit func(*vigil.Event)) error {
	get := attributes(r, o)
	name := r.String(o.Get("name"), 256)
	call, ok := genai.CallOf(name, get)
	if !ok {
		switch strings.ToUpper(o.Get("type").Str) {
		case "TOOL":
			call.Tool = strings.TrimPrefix(name, "execute_tool ")
		case "RETRIEVER":
			call.Tool, call.Retrieval = name, true
		default:
			return nil
		}
	}
	e := r.Event()
	if e.Time, ok = formats.Time(r.String(first(o, "startTime", "start_time"), 64), nil); !ok {
		return formats.ErrTime("startTime")
	}
	// Programs make the ids; the same observation exported again is the same event.
	e.ID = fmt.Sprintf("%016x", formats.RecordHash([]byte(o.Raw)))
	for id, steps := o.Get("id").Str, 0; e.Actor.ID == "" && id != "" && steps < 64; steps++ {
		e.Actor.ID, id = c.agents[id], c.parents[id]
	}
	for _, s := range []string{get(genai.Agents...), c.name, r.String(first(o, "traceName", "trace_name"), 256), "bot"} {
		if e.Actor.ID == "" {
			e.Actor.ID = s
		}
	}
	e.Actor.Kind = vigil.KindBot
	e.Actor.Tenant = r.String(first(o, "projectId", "project_id"), 128)
	if e.Principal = r.String(first(o, "userId", "user_id"), 512); e.Principal == "" {
		e.Principal = c.user
	}
	if e.Principal == "" {
		e.Principal = get(genai.Users...)
	}
	if e.Conversation = r.String(first(o, "sessionId", "session_id"), 512); e.Conversation == "" {
		e.Conversation = c.session
	}
	if e.Conversation == "" {
		e.Conversation = get(genai.Conversations...)
	}
	e.Outcome = vigil.OutcomeSuccess
	if o.Get("level").Str == "ERROR" {
		e.Outcome = vigil.OutcomeError
	}
	input := o.Get("input")
	call.Fill(e, input.String(), rd.mapping)
	emit(e)
	return nil
}
