package traffic

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"vigil"
)

// Write writes every event of cfg's world as native lines, and returns how many.
// It fails on a configuration that can't be met, or when w does.
func Write(w io.Writer, cfg Config) (int, error) {
	world, err := New(cfg)
	if err != nil {
		return 0, err
	}
	return world.Write(w)
}

// Write writes every event as a native line, injected ones too, and returns how
// many. It takes the place of Events.
func (w *World) Write(out io.Writer) (int, error) {
	buf := bufio.NewWriterSize(out, 1<<16)
	n := 0
	line := make([]byte, 0, 1024)
	for e := range w.Events() {
		line = appendLine(line[:0], e)
		if _, err := buf.Write(line); err != nil {
			return n, fmt.Errorf("write traffic: %w", err)
		}
		n++
	}
	if err := buf.Flush(); err != nil {
		return n, fmt.Errorf("write traffic: %w", err)
	}
	return n, nil
}

// appendLine writes an event of ours in the native form. It is apart from the
// format's own writer so that a fault in one shows against the other.
func appendLine(b []byte, e *vigil.Event) []byte {
	b = append(b, `{"time":"`...)
	b = e.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	text := func(key, value string) {
		if value != "" {
			b = append(b, ',', '"')
			b = append(b, key...)
			b = append(b, '"', ':')
			b = appendString(b, value)
		}
	}
	number := func(key string, value int64) {
		if value != vigil.Unknown {
			b = append(b, ',', '"')
			b = append(b, key...)
			b = append(b, '"', ':')
			b = strconv.AppendInt(b, value, 10)
		}
	}
	list := func(key string, values []string) {
		if len(values) == 0 {
			return
		}
		b = append(b, ',', '"')
		b = append(b, key...)
		b = append(b, '"', ':', '[')
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, v)
		}
		b = append(b, ']')
	}
	text("id", e.ID)
	text("actor", e.Actor.ID)
	text("actor_kind", string(e.Actor.Kind))
	text("role", e.Actor.Role)
	text("team", e.Actor.Team)
	text("tenant", e.Actor.Tenant)
	text("app", e.Actor.App)
	text("principal", e.Principal)
	text("session", e.Session)
	text("conversation", e.Conversation)
	text("action", string(e.Action))
	text("store", e.Store)
	text("resource", e.Resource)
	text("resource_class", e.ResourceClass)
	text("resource_tenant", e.ResourceTenant)
	list("subjects", e.Subjects)
	number("subject_count", e.SubjectCount)
	number("rows", e.Rows)
	number("bytes", e.Bytes)
	number("limit", e.Limit)
	list("fields", e.Fields)
	text("ip", e.IP)
	text("country", e.Country)
	text("user_agent", e.UserAgent)
	text("shape", e.Shape)
	text("outcome", string(e.Outcome))
	text("ticket", e.Ticket)
	text("purpose", e.Purpose)
	if e.Unbounded {
		b = append(b, `,"unbounded":true`...)
	}
	return append(b, '}', '\n')
}

// appendString writes a JSON string: plain ones as they are, which ours are, and
// an injected one with whatever escapes it needs.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always marshals
				quoted = []byte(`""`)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
