package bedrock

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// maxCalls bounds the tool calls of one invocation that become events.
const maxCalls = 64

// call is a tool that the model asked for, and what came back.
type call struct {
	id, name    string
	input       gjson.Result
	result      []gjson.Result
	known, fail bool // whether there is a result, and it is an error
}

// results are the tool calls whose results this invocation sends: those behind the
// model's last turn. They stand as Converse has them, as in the body of Anthropic's
// models, or as in OpenAI's.
func results(in gjson.Result) []call {
	messages := in.Get("messages").Array()
	last := len(messages) - 1
	for last >= 0 && messages[last].Get("role").Str != "assistant" {
		last--
	}
	if last < 0 {
		return nil
	}
	calls := uses(messages[last])
	if len(calls) == 0 {
		return nil
	}
	at := make(map[string]int, len(calls))
	for i, c := range calls {
		at[c.id] = i
	}
	take := func(id string, fail bool, content gjson.Result) {
		i, ok := at[id]
		if !ok {
			return
		}
		c := &calls[i]
		c.known, c.fail = true, fail
		if content.IsArray() {
			c.result = content.Array()
		} else {
			c.result = []gjson.Result{content}
		}
	}
	for _, m := range messages[last+1:] {
		if m.Get("role").Str == "tool" {
			take(m.Get("tool_call_id").Str, false, m.Get("content"))
			continue
		}
		m.Get("content").ForEach(func(_, block gjson.Result) bool {
			if t := block.Get("toolResult"); t.Exists() {
				take(t.Get("toolUseId").Str, t.Get("status").Str == "error", t.Get("content"))
			} else if block.Get("type").Str == "tool_result" {
				take(block.Get("tool_use_id").Str, block.Get("is_error").Bool(), block.Get("content"))
			}
			return true
		})
	}
	return slices.DeleteFunc(calls, func(c call) bool { return !c.known })
}

// uses are the tools that a turn of the model asks for.
func uses(message gjson.Result) (calls []call) {
	add := func(id, name string, input gjson.Result) {
		if name != "" && len(calls) < maxCalls {
			calls = append(calls, call{id: id, name: name, input: body(input)})
		}
	}
	message.Get("content").ForEach(func(_, block gjson.Result) bool {
		if t := block.Get("toolUse"); t.Exists() {
			add(t.Get("toolUseId").Str, t.Get("name").Str, t.Get("input"))
		} else if block.Get("type").Str == "tool_use" {
			add(block.Get("id").Str, block.Get("name").Str, block.Get("input"))
		}
		return true
	})
	message.Get("tool_calls").ForEach(func(_, t gjson.Result) bool {
		add(t.Get("id").Str, t.Get("function.name").Str, t.Get("function.arguments"))
		return true
	})
	return calls
}

// asked are the tools that an answer asks for.
func asked(out gjson.Result) []call {
	switch {
	case out.Get("output.message").Exists():
		return uses(out.Get("output.message"))
	case out.Get("content").IsArray():
		return uses(out)
	case out.Get("choices.0.message").Exists():
		return uses(out.Get("choices.0.message"))
	case out.IsArray():
		return streamed(out)
	}
	return nil
}

// streamed puts together the tools that an answer asks for in parts.
func streamed(chunks gjson.Result) (calls []call) {
	var input strings.Builder
	end := func() {
		if n := len(calls); n > 0 && input.Len() > 0 && gjson.Valid(input.String()) {
			calls[n-1].input = gjson.Parse(input.String())
		}
		input.Reset()
	}
	chunks.ForEach(func(_, c gjson.Result) bool {
		start, delta := c.Get("contentBlockStart.start.toolUse"), c.Get("contentBlockDelta.delta.toolUse.input")
		if b := c.Get("content_block"); b.Get("type").Str == "tool_use" {
			start = b
		}
		if d := c.Get("delta.partial_json"); d.Exists() {
			delta = d
		}
		if start.Exists() {
			end()
			if len(calls) >= maxCalls {
				return false
			}
			calls = append(calls, call{id: start.Get("toolUseId").Str + start.Get("id").Str, name: start.Get("name").Str})
		}
		if len(calls) > 0 && input.Len() < record.MaxRecord {
			input.WriteString(delta.Str)
		}
		return true
	})
	end()
	return calls
}

// maxArguments bounds the names of arguments in a shape.
const maxArguments = 32

// tool fills in what a call of a tool has read.
func (r *reader) tool(rec *record.Record, e *vigil.Event, c call) {
	name := rec.Clean(c.name, 128)
	e.Resource = name
	if e.Action = formats.Verb(name); e.Action == vigil.ActionOther {
		e.Action = vigil.ActionExecute
	}
	if c.known {
		e.Outcome = vigil.OutcomeSuccess
		if c.fail {
			e.Outcome = vigil.OutcomeError
		}
	}
	var found formats.Found
	var names []string
	c.input.ForEach(func(key, value gjson.Result) bool {
		if n := rec.Clean(key.Str, 64); n != "" && len(names) < maxArguments {
			names = append(names, n)
		}
		r.take(e, &found, key.Str, value)
		return true
	})
	slices.Sort(names)
	e.Shape = rec.Clean("tool "+name+"("+strings.Join(names, ",")+")", 512)
	named := found.Named
	if c.known && !c.fail {
		e.Rows, e.Bytes = 0, 0
		for _, part := range c.result {
			data := content(part)
			if data.Type == gjson.String {
				e.Bytes += int64(len(data.Str))
			} else {
				e.Bytes += int64(len(data.Raw))
			}
			if n := rows(data); n == vigil.Unknown || e.Rows == vigil.Unknown {
				e.Rows = vigil.Unknown
			} else {
				e.Rows += n
			}
			r.walk(e, &found, data, 0)
		}
	}
	conversation, tenant, ticket := e.Conversation, e.ResourceTenant, e.Ticket
	found.Fill(e, c.known || named > 0)
	if conversation != "" { // the bot's own conversation, not one that it read
		e.Conversation = conversation
	}
	if tenant != "" && len(found.Tenants) == 0 {
		e.ResourceTenant = tenant
	}
	if ticket != "" && len(found.Tickets) == 0 {
		e.Ticket = ticket
	}
}

// take notes an argument's or a field's value under what the mapping says of its name.
func (r *reader) take(e *vigil.Event, found *formats.Found, name string, value gjson.Result) {
	m := r.meaning(name)
	if m == "" {
		switch strings.ToLower(name) {
		case "limit", "page_size", "pagesize", "top_k", "topk", "max_results", "maxresults":
			m = formats.MeansLimit
		}
	}
	if m == "" {
		return
	}
	if value.IsArray() {
		value.ForEach(func(_, one gjson.Result) bool {
			if one.Type == gjson.String || one.Type == gjson.Number {
				found.Add(m, one.String())
			}
			return true
		})
		return
	}
	if value.Type != gjson.String && value.Type != gjson.Number {
		return
	}
	if m == formats.MeansLimit {
		e.Limit = formats.Count(value.String())
		return
	}
	found.Add(m, value.String())
}

// content is the data in a part of a result: JSON as it is, or in a text.
func content(part gjson.Result) gjson.Result {
	if j := part.Get("json"); j.Exists() {
		return j
	}
	text := part
	if t := part.Get("text"); t.Exists() {
		text = t
	}
	return body(text)
}

// rows is how many records a result holds: the length of a list, or of the one list that
// an object holds, or one object. Text tells no number.
func rows(data gjson.Result) int64 {
	switch {
	case data.IsArray():
		return data.Get("#").Int()
	case data.IsObject():
		lists, n, empty := 0, int64(0), true
		data.ForEach(func(_, v gjson.Result) bool {
			empty = false
			if v.IsArray() && (v.Get("#").Int() == 0 || v.Get("0").IsObject()) {
				lists++
				n = v.Get("#").Int()
			}
			return true
		})
		switch {
		case empty:
			return 0
		case lists == 1:
			return n
		}
		return 1
	}
	return vigil.Unknown
}

// The bounds of looking for ids in a result.
const maxWalk = 6

// walk takes the ids out of a result.
func (r *reader) walk(e *vigil.Event, found *formats.Found, data gjson.Result, depth int) {
	if depth > maxWalk || !data.IsObject() && !data.IsArray() || r.opts.Mapping == nil {
		return
	}
	object := data.IsObject()
	data.ForEach(func(key, value gjson.Result) bool {
		if object {
			if m := r.meaning(key.Str); m != "" && m != formats.MeansLimit {
				r.take(e, found, key.Str, value)
			}
		}
		r.walk(e, found, value, depth+1)
		return true
	})
}
