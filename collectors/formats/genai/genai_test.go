package genai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/genai"
)

func attributes(pairs ...string) genai.Attribute {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(keys ...string) string {
		for _, k := range keys {
			if m[k] != "" {
				return m[k]
			}
		}
		return ""
	}
}

func TestCallOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attributes []string
		want       genai.Call
		none       bool
	}{
		"execute_tool get_x":      {attributes: []string{"gen_ai.operation.name", "execute_tool"}, want: genai.Call{Tool: "get_x"}},
		"running tool: get_x":     {attributes: []string{"openinference.span.kind", "TOOL"}, want: genai.Call{Tool: "get_x"}},
		"named":                   {attributes: []string{"gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "t"}, want: genai.Call{Tool: "t"}},
		"traceloop":               {attributes: []string{"traceloop.span.kind", "tool", "traceloop.entity.name", "t"}, want: genai.Call{Tool: "t"}},
		"ai.toolCall":             {attributes: []string{"ai.operationId", "ai.toolCall", "ai.toolCall.name", "t"}, want: genai.Call{Tool: "t"}},
		"retrieval kb":            {attributes: []string{"gen_ai.operation.name", "retrieval", "gen_ai.data_source.id", "kb"}, want: genai.Call{Tool: "retrieval kb", Store: "kb", Retrieval: true}},
		"tools/call":              {attributes: []string{"mcp.method.name", "tools/call", "gen_ai.tool.name", "t"}, want: genai.Call{Tool: "t"}},
		"resources/read":          {attributes: []string{"mcp.method.name", "resources/read", "mcp.resource.uri", "crm://x"}, want: genai.Call{Tool: "resources/read", Store: "crm://x", Resource: true}},
		"tools/list":              {attributes: []string{"mcp.method.name", "tools/list"}, none: true},
		"chat gpt":                {attributes: []string{"gen_ai.operation.name", "chat", "gen_ai.tool.name", "t"}, none: true},
		"invoke_agent":            {attributes: []string{"gen_ai.operation.name", "invoke_agent", "openinference.span.kind", "TOOL"}, none: true},
		"tool.search.x.start-1":   {attributes: []string{"openinference.span.kind", "TOOL", "target", "tool.search.x.start"}, want: genai.Call{Tool: "tool.search.x.start-1"}},
		"tool.search.x.success-1": {attributes: []string{"openinference.span.kind", "TOOL", "target", "tool.search.x.success"}, none: true},
		"GET /":                   {none: true},
	} {
		got, ok := genai.CallOf(name, attributes(c.attributes...))
		if ok == c.none {
			t.Errorf("%s: %v", name, ok)
		}
		if diff := cmp.Diff(c.want, got); !c.none && diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	m := &formats.Mapping{Params: map[string]formats.Meaning{"customer": formats.MeansSubject, "ticket": formats.MeansTicket, "chat": formats.MeansConversation}}
	type result struct {
		Subjects             []string
		Count, Limit         int64
		Conversation, Ticket string
	}
	for arguments, want := range map[string]result{
		`{"customer":"c1","limit":5,"text":"secret"}`:         {Subjects: []string{"c1"}, Count: 1, Limit: 5},
		`{"a":{"Customer":["c1","c2",3,{"x":1}]},"ticket":7}`: {Subjects: []string{"c1", "c2", "3"}, Count: 3, Limit: -1, Ticket: "7"},
		`{"chat":"other"}`:                 {Count: -1, Limit: -1, Conversation: "other"},
		`{"customer":null,"top_k":"many"}`: {Count: -1, Limit: -1},
		`not JSON {"customer":"c1"}`:       {Count: -1, Limit: -1},
		`["customer","c1"]`:                {Count: -1, Limit: -1},
		strings.Repeat(`{"a":`, 50) + `{"customer":"deep"}` + strings.Repeat("}", 50): {Count: -1, Limit: -1},
	} {
		e := vigil.NewEvent()
		genai.Call{Tool: "t"}.Fill(e, arguments, m)
		got := result{e.Subjects, e.SubjectCount, e.Limit, e.Conversation, e.Ticket}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60s: %s", arguments, diff)
		}
	}
	// What the span is part of counts, not what it asks for.
	e := vigil.NewEvent()
	e.Conversation = "own"
	genai.Call{Tool: "t"}.Fill(e, `{"chat":"other"}`, m)
	if e.Conversation != "own" || e.Action != vigil.ActionExecute {
		t.Errorf("%q, %s", e.Conversation, e.Action)
	}
}
