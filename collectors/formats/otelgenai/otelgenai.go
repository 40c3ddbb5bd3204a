// Package otelgenai reads traces and logs of chatbots in OpenTelemetry's JSON: what
// tools a bot called and what it retrieved, for whom, in which conversation. It takes
// OTLP/JSON, as the Collector's file exporter and HTTP exporters write it, and the JSON
// of console exporters.
package otelgenai

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/genai"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "otel-genai",
		Tells: formats.Tells{
			Title: "OpenTelemetry GenAI", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Yes, Address: formats.No,
			Note: "Spans of tools and retrievals are accesses by the bot, for the user whom they name; calls of models are none.",
		},
		JSON: sure,
		New: func(opts formats.Options) (record.Reader, error) {
			return &reader{mapping: opts.Mapping, traces: formats.NewBounded[string, trace](maxTraces)}, nil
		},
	})
}

// sure knows OTLP by its own keys; by what is in it, whether it is of a chatbot.
func sure(v gjson.Result) float64 {
	if !otlp(v) && !console(v) {
		return 0
	}
	for _, mark := range []string{"gen_ai.", "openinference.", "traceloop.", "ai.toolCall", "mcp.method"} {
		if strings.Contains(v.Raw, mark) {
			return 0.95
		}
	}
	return 0.55
}

func otlp(v gjson.Result) bool {
	for _, key := range []string{"resourceSpans", "resourceLogs", "resourceMetrics", "scopeSpans", "scopeLogs"} {
		if v.Get(key).IsArray() {
			return true
		}
	}
	return v.Get("spans").IsArray() && v.Get("scope").Exists() || v.Get("logRecords").IsArray() && v.Get("scope").Exists() ||
		v.Get("spanId").Exists() && (v.Get("startTimeUnixNano").Exists() || v.Get("timeUnixNano").Exists())
}

// console knows a span as console exporters write it.
func console(v gjson.Result) bool {
	return v.Get("context.span_id").Exists() && v.Get("start_time").Exists() && v.Get("attributes").IsObject()
}

// maxTraces bounds how many traces are remembered.
const maxTraces = 4096

// trace is what spans of one trace told of it. Spans come when they end, inner ones
// before those around them, and not all name what they are part of.
type trace struct{ Agent, User, Conversation string }

type reader struct {
	mapping *formats.Mapping
	traces  *formats.Bounded[string, trace]
}

// State is what is known of traces.
func (rd *reader) State() ([]byte, error) {
	type entry struct {
		ID    string
		Trace trace
	}
	var list []entry
	for id, t := range rd.traces.All() {
		list = append(list, entry{id, t})
	}
	return cbor.Marshal(list)
}

// Restore takes it back.
func (rd *reader) Restore(state []byte) error {
	var list []struct {
		ID    string
		Trace trace
	}
	if len(state) == 0 {
		return nil
	}
	if err := cbor.Unmarshal(state, &list); err != nil {
		return err
	}
	for _, e := range list {
		rd.traces.Put(e.ID, e.Trace)
	}
	return nil
}

// item is a span or a log record.
type item struct {
	raw, name, trace, span, parent, service string
	at                                      gjson.Result
	failed                                  bool
	attributes                              map[string]string
}

// wanted are the attributes that are looked at; others may hold what was said.
var wanted = func() map[string]bool {
	w := map[string]bool{}
	for _, list := range [][]string{genai.Users, genai.Conversations, genai.Agents, genai.Arguments, {
		"gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "langsmith.span.kind", "ai.operationId", "target",
		"gen_ai.tool.name", "tool.name", "tool_name", "function_name", "ai.toolCall.name", "mcp.tool.name", "traceloop.entity.name",
		"gen_ai.data_source.id", "db.collection.name", "mcp.resource.uri", "mcp.method.name", "error.type", "event.name", "success",
		"client.address", "user_agent.original", "service.name", "gen_ai.request.top_k",
	}} {
		for _, key := range list {
			w[key] = true
		}
	}
	return w
}()

// maxArguments bounds a tool's arguments, in bytes.
const maxArguments = 64 << 10

// attributes reads those that are wanted: a list of keys and values, or an object.
func attributes(r *record.Record, v gjson.Result) map[string]string {
	out := map[string]string{}
	if v.IsObject() {
		v.ForEach(func(key, value gjson.Result) bool {
			put(r, out, key.Str, value)
			return true
		})
		return out
	}
	v.ForEach(func(_, pair gjson.Result) bool {
		value := pair.Get("value")
		value.ForEach(func(_, held gjson.Result) bool { // stringValue, intValue and so on: one
			put(r, out, pair.Get("key").Str, held)
			return false
		})
		return true
	})
	return out
}

func put(r *record.Record, out map[string]string, key string, value gjson.Result) {
	if !wanted[key] {
		return
	}
	for _, a := range genai.Arguments {
		if a == key {
			if s := value.String(); len(s) <= maxArguments {
				out[key] = s
			}
			return
		}
	}
	out[key] = r.String(value, 512)
}

func (i *item) get(keys ...string) string {
	for _, k := range keys {
		if s := i.attributes[k]; s != "" {
			return s
		}
	}
	return ""
}

// Read gives out the accesses of a document.
func (rd *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	var items []item
	collect(r, r.JSON, "", &items)
	type node struct{ parent, agent string }
	spans := make(map[string]node, len(items))
	for i := range items {
		it := &items[i]
		t, _ := rd.traces.Get(it.trace)
		before := t
		fill(&t.Agent, it.get(genai.Agents...))
		fill(&t.User, it.get(genai.Users...))
		fill(&t.Conversation, it.get(genai.Conversations...))
		if it.trace != "" && t != before {
			rd.traces.Put(it.trace, t)
		}
		spans[it.span] = node{it.parent, it.get(genai.Agents...)}
	}
	var errs []error
	for i := range items {
		it := &items[i]
		agent := ""
		for id, steps := it.span, 0; agent == "" && id != "" && steps < 64; steps++ {
			agent, id = spans[id].agent, spans[id].parent
		}
		errs = append(errs, rd.emit(r, it, agent, emit))
	}
	return errors.Join(errs...)
}

func fill(to *string, s string) {
	if *to == "" {
		*to = s
	}
}

// emit gives out an item that is an access.
func (rd *reader) emit(r *record.Record, it *item, agent string, emit func(*vigil.Event)) error {
	call, ok := genai.CallOf(it.name, it.get)
	if !ok && call.Tool != "" && (strings.HasSuffix(it.name, "tool_result") || strings.HasSuffix(it.name, ".tool_call")) {
		ok = true // log records of command-line agents
	}
	if !ok {
		return nil
	}
	e := r.Event()
	if it.at.Type == gjson.String && strings.Trim(it.at.Str, "0123456789") != "" {
		e.Time, ok = formats.Time(it.at.Str, nil)
	} else if n := formats.Count(it.at.String()); n > 0 {
		e.Time = time.Unix(0, n) // always nanoseconds
	} else {
		ok = false
	}
	if !ok {
		return formats.ErrTime("startTimeUnixNano")
	}
	// Exporters send a batch again when they got no answer: the same span, to the last
	// character, is the same event.
	e.ID = fmt.Sprintf("%016x", formats.RecordHash([]byte(it.raw)))
	t, _ := rd.traces.Get(it.trace)
	for _, name := range []string{agent, t.Agent, it.service} {
		if e.Actor.ID == "" && name != "unknown_service" {
			e.Actor.ID = name
		}
	}
	if e.Actor.ID == "" {
		e.Actor.ID = "bot" // the stream is of one program that did not name itself
	}
	e.Actor.Kind, e.Actor.App = vigil.KindBot, it.service
	if e.Principal = it.get(genai.Users...); e.Principal == "" {
		e.Principal = t.User
	}
	if e.Conversation = it.get(genai.Conversations...); e.Conversation == "" {
		e.Conversation = t.Conversation
	}
	e.IP, e.UserAgent = formats.Address(it.get("client.address")), it.get("user_agent.original")
	e.Outcome = vigil.OutcomeSuccess
	if it.failed || it.get("error.type") != "" || it.get("success") == "false" {
		e.Outcome = vigil.OutcomeError
	}
	call.Fill(e, it.get(genai.Arguments...), rd.mapping)
	if call.Retrieval && e.Limit == vigil.Unknown {
		e.Limit = formats.Count(it.get("gen_ai.request.top_k"))
	}
	emit(e)
	return nil
}

// collect finds the spans and the log records in a document.
func collect(r *record.Record, v gjson.Result, service string, out *[]item) {
	if s := attributes(r, v.Get("resource.attributes"))["service.name"]; s != "" {
		service = s
	}
	for _, key := range []string{"resourceSpans", "resourceLogs", "scopeSpans", "scopeLogs", "instrumentationLibrarySpans", "spans", "logRecords"} {
		if list := v.Get(key); list.IsArray() {
			list.ForEach(func(_, one gjson.Result) bool {
				collect(r, one, service, out)
				return true
			})
			return
		}
	}
	if !v.Get("spanId").Exists() && !v.Get("context.span_id").Exists() && !v.Get("timeUnixNano").Exists() {
		return
	}
	it := item{raw: v.Raw, service: service, attributes: attributes(r, v.Get("attributes"))}
	first := func(keys ...string) gjson.Result {
		for _, k := range keys {
			if f := v.Get(k); f.Exists() && f.String() != "" {
				return f
			}
		}
		return gjson.Result{}
	}
	it.name = r.String(first("name", "eventName"), 256)
	if it.name == "" {
		it.name = it.get("event.name")
	}
	it.trace = r.String(first("traceId", "context.trace_id"), 64)
	it.span = r.String(first("spanId", "context.span_id"), 64)
	it.parent = r.String(first("parentSpanId", "parent_id"), 64)
	it.at = first("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano", "start_time")
	switch code := first("status.code", "status.status_code"); code.String() {
	case "2", "STATUS_CODE_ERROR", "ERROR", "StatusCode.ERROR":
		it.failed = true
	}
	*out = append(*out, it)
}
