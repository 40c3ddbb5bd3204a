// Package genai knows how traces of chatbots name what a bot did: calls of tools,
// retrievals from stores of documents, resources read by way of the Model Context
// Protocol. It reads the attributes of OpenTelemetry's semantic conventions for
// generative AI and those of OpenInference, OpenLLMetry, LangSmith and the AI SDK.
// Formats of traces call it; it holds no state and is safe for concurrent use.
//
// Calls of models are no accesses: what a model is sent the bot has read before.
package genai

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// Attribute gives the first of the named attributes that is there and not empty.
type Attribute func(keys ...string) string

// Call is a thing that a bot did.
type Call struct {
	// Tool is the tool's name, or the method of the protocol; Store is what it read
	// from, where told.
	Tool, Store string
	// Retrieval says that documents were looked for, Resource that one was read.
	Retrieval, Resource bool
}

// CallOf is what a span says that the bot did. ok is false for spans of models, agents,
// chains and anything else that is no access. name is the span's.
func CallOf(name string, get Attribute) (c Call, ok bool) {
	operation := strings.ToLower(get("gen_ai.operation.name"))
	kind := strings.ToLower(get("openinference.span.kind", "traceloop.span.kind", "langsmith.span.kind"))
	c.Tool = get("gen_ai.tool.name", "tool.name", "tool_name", "function_name", "ai.toolCall.name", "mcp.tool.name")
	c.Store = get("gen_ai.data_source.id", "db.collection.name", "mcp.resource.uri")
	switch method := get("mcp.method.name"); {
	case method == "resources/read":
		c.Resource, c.Tool = true, method
		return c, true
	case method == "tools/call" && operation == "":
		operation = "execute_tool"
	case method != "" && operation == "":
		return c, false
	}
	switch {
	case operation == "execute_tool" || operation == "" && (kind == "tool" || get("ai.operationId") == "ai.toolCall"):
		// Some write a span for the start, the success and the finish of one call.
		if target := get("target"); strings.HasPrefix(target, "tool.") && !strings.HasSuffix(target, ".start") {
			return c, false
		}
	case operation == "retrieval" || operation == "" && kind == "retriever":
		c.Retrieval = true
	default:
		return c, false
	}
	if c.Tool == "" {
		c.Tool = get("traceloop.entity.name")
	}
	if c.Tool == "" {
		c.Tool = strings.TrimPrefix(strings.TrimPrefix(name, "execute_tool "), "running tool: ")
	}
	return c, true
}

// Users are the attributes that name the person for whom a bot works, Conversations
// those that name the conversation, Agents the bot.
var (
	Users = []string{
		"user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id", "langfuse.trace.user_id", "traceloop.association.properties.user_id",
		"ai.telemetry.metadata.userId", "langsmith.metadata.user_id", "user.email",
	}
	Conversations = []string{
		"gen_ai.conversation.id", "session.id", "langfuse.session.id", "langfuse.trace.session_id", "traceloop.association.properties.session_id",
		"ai.telemetry.metadata.sessionId", "langsmith.metadata.session_id", "gcp.vertex.agent.session_id", "thread_id",
	}
	Agents    = []string{"gen_ai.agent.name", "gen_ai.agent.id", "agent.name", "agent_name"}
	Arguments = []string{"gen_ai.tool.call.arguments", "ai.toolCall.args", "tool.parameters", "gcp.vertex.agent.tool_call_args", "input.value", "traceloop.entity.input"}
)

// Fill writes the call into e: what the tool's name says that it does, where it read,
// and of its arguments the ids that the mapping's parameters name, and how many were
// asked for.
func (c Call) Fill(e *vigil.Event, arguments string, m *formats.Mapping) {
	e.Action = formats.Verb(c.Tool)
	switch {
	case c.Retrieval:
		e.Action = vigil.ActionSearch
	case c.Resource:
		e.Action = vigil.ActionRead
	case e.Action == vigil.ActionOther:
		e.Action = vigil.ActionExecute
	}
	if e.Resource = c.Store; e.Resource == "" {
		e.Resource = c.Tool
	}
	e.Shape = "tool " + c.Tool
	if c.Retrieval {
		e.Shape = "retrieve " + c.Tool
	}
	var found formats.Found
	if v := gjson.Parse(arguments); v.IsObject() && gjson.Valid(arguments) {
		n := 0
		take(v, m, &found, e, 0, &n)
	}
	conversation := e.Conversation
	found.Fill(e, true)
	if conversation != "" { // the one that it is part of, not another that it asked for
		e.Conversation = conversation
	}
}

// limits are arguments that ask for a number of things.
var limits = []string{"limit", "top_k", "k", "page_size", "per_page", "max_results", "n_results", "count"}

// take goes through arguments, at most 500 of them and four levels deep.
func take(v gjson.Result, m *formats.Mapping, found *formats.Found, e *vigil.Event, depth int, n *int) {
	v.ForEach(func(key, value gjson.Result) bool {
		if *n++; *n > 500 {
			return false
		}
		name := strings.ToLower(key.Str)
		var meaning formats.Meaning
		if m != nil {
			meaning = m.Params[name]
		}
		switch {
		case meaning == formats.MeansLimit || meaning == "" && slices.Contains(limits, name) && e.Limit == vigil.Unknown:
			e.Limit = formats.Count(value.Raw)
		case meaning != "" && value.IsArray():
			value.ForEach(func(_, one gjson.Result) bool {
				if *n++; !one.IsObject() && !one.IsArray() {
					found.Add(meaning, one.String())
				}
				return *n <= 500+vigil.MaxSubjects
			})
		case meaning != "" && !value.IsObject() && value.Type != gjson.Null:
			found.Add(meaning, value.String())
		case value.IsObject() && depth < 4:
			take(value, m, found, e, depth+1, n)
		}
		return true
	})
}
