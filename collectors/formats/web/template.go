package web

import (
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// template is a compiled path of the mapping.
type template struct {
	segments []string
	meanings []formats.Meaning
	resource string
	action   vigil.Action
	class    string
	shape    string
}

func compileTemplates(m *formats.Mapping) ([]template, error) {
	if m == nil {
		return nil, nil
	}
	var out []template
	for _, p := range m.Paths {
		t := template{resource: p.Resource, class: p.Class, action: vigil.Action(p.Action), shape: p.Template}
		if p.Action != "" && !t.action.Valid() {
			return nil, fmt.Errorf("mapping: path %q: action %q is not one of %v", p.Template, p.Action, vigil.Actions())
		}
		var fixed []string
		for _, seg := range split(nil, p.Template) {
			meaning := formats.Meaning("")
			switch {
			case strings.HasPrefix(seg, "{") && strings.HasSuffix(seg, "}"):
				meaning = formats.Meaning(seg[1 : len(seg)-1])
				switch meaning {
				case formats.MeansSubject, formats.MeansConversation, formats.MeansTenant, formats.MeansTicket:
				default:
					return nil, fmt.Errorf("mapping: path %q: {%s} is not subject, conversation, tenant or ticket: for any other segment write *", p.Template, meaning)
				}
				seg = "*"
			case seg == "*" || seg == "**":
			default:
				fixed = append(fixed, seg)
			}
			t.segments = append(t.segments, seg)
			t.meanings = append(t.meanings, meaning)
		}
		if i := slices.Index(t.segments, "**"); i >= 0 && i != len(t.segments)-1 {
			return nil, fmt.Errorf("mapping: path %q: ** must be the last segment", p.Template)
		}
		if t.resource == "" {
			t.resource = "/" + strings.Join(fixed, "/")
		}
		out = append(out, t)
	}
	return out, nil
}

func (t *template) match(path []string) bool {
	for i, seg := range t.segments {
		if seg == "**" {
			return true
		}
		if i >= len(path) || seg != "*" && seg != path[i] {
			return false
		}
	}
	return len(path) == len(t.segments)
}

// split cuts a path into its segments, without empty ones, and resolves . and .. It
// appends them to out.
func split(out []string, path string) []string {
	for seg := range strings.SplitSeq(path, "/") {
		switch seg {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			if len(out) < maxSegments {
				out = append(out, seg)
			}
		}
	}
	return out
}
