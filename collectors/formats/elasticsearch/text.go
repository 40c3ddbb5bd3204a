package elasticsearch

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

var (
	// A line of log4j: time, level, logger, the node.
	head = regexp.MustCompile(`^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3}(?:Z|[+-]\d\d:?\d\d)?)\]\[([A-Z]+) *\]\[([^\]]+)\] (?:\[([^\]]*)\] ?)?`)
	// A line of the old text audit: time, perhaps the node's name and address, layer, event.
	oldAudit = regexp.MustCompile(`^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3})\] (?:\[[^\]]*\] ){0,3}?\[(rest|transport|ip_filter)\] \[([a-z_]+)\]\s+`)
)

// names are the attributes of the old text audit, by what the JSON log calls them.
var names = map[string]string{
	"user.name": "principal", "realm": "realm", "origin.type": "origin_type", "origin.address": "origin_address", "url.path": "uri",
	"action": "action", "request.id": "request_id", "opaque_id": "opaque_id", "user.run_by.name": "run_by_principal", "request.method": "request_method",
}

// isText knows lines of text.
func isText(text []byte) float64 {
	if oldAudit.Match(text) {
		return 0.95
	}
	m := head.FindSubmatch(text)
	switch {
	case m == nil:
		return 0
	case bytes.Contains(m[3], []byte("slowlog")), bytes.Contains(m[3], []byte("audit")):
		return 0.95
	}
	return 0.6 // the server's log
}

// text reads a line of text.
func (d *reader) text(r *record.Record, emit func(*vigil.Event)) error {
	text := r.Text
	if m := oldAudit.FindSubmatchIndex(text); m != nil {
		at, ok := formats.Time(string(text[m[2]:m[3]]), d.zone)
		if !ok {
			return formats.ErrTime("the line's time")
		}
		list := attributes(string(text[m[1]:]))
		layer, event := string(text[m[4]:m[5]]), string(text[m[6]:m[7]])
		if event == "connection_granted" {
			return nil
		}
		get := func(name string) string {
			switch name {
			case "event.action":
				return event
			case "event.type":
				return layer
			}
			return r.Clean(list[names[name]], 512)
		}
		var indices []string
		if list["indices"] != "" {
			indices = strings.Split(list["indices"], ",")
		}
		e := r.Event()
		e.Time = at
		d.tell(r, e, get, indices, list["request_body"], emit)
		return nil
	}
	m := head.FindSubmatchIndex(text)
	logger := strings.TrimSpace(string(text[m[6]:m[7]]))
	if !strings.Contains(logger, "slowlog") {
		if rest := bytes.TrimSpace(text[m[1]:]); len(rest) > 0 && rest[0] == '{' && strings.Contains(logger, "audit") {
			if !gjson.ValidBytes(rest) || nested(string(rest)) > record.MaxDepth {
				return formats.Errorf("json", "the JSON can't be read: the line is cut off")
			}
			return d.json(r, gjson.ParseBytes(rest), emit)
		}
		return nil
	}
	at, ok := formats.Time(string(text[m[2]:m[3]]), d.zone)
	if !ok {
		return formats.ErrTime("the line's time")
	}
	rest := strings.TrimLeft(string(text[m[1]:]), " ")
	index, after, _ := strings.Cut(rest, " took[")
	list := attributes("took[" + after)
	e := r.Event()
	e.Time = at
	get := func(name string) string {
		if name == "message" {
			return index
		}
		return list[name]
	}
	d.slowly(r, e, get, strings.Contains(logger, "indexing"), emit)
	return nil
}

// attributes reads name[value] and name=[value], with commas between. A value may hold
// brackets in pairs.
func attributes(s string) map[string]string {
	out := make(map[string]string)
	for len(out) < 64 {
		name, rest, ok := strings.Cut(s, "[")
		if !ok {
			break
		}
		name = strings.TrimSuffix(strings.TrimLeft(name, " ,\t"), "=")
		depth, end, quoted := 1, len(rest), false
		for i := 0; i < len(rest) && depth > 0; i++ {
			switch c := rest[i]; {
			case c == '\\' && quoted:
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '[':
				depth++
			case c == ']':
				if depth--; depth == 0 {
					end = i
				}
			}
		}
		if _, have := out[name]; !have { // what comes later may be a client's text
			out[name] = rest[:end]
		}
		s = rest[min(end+1, len(rest)):]
	}
	return out
}
