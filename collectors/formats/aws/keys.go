package aws

import (
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// Keys tells whose data objects are, by the paths of a mapping: a template such as
// "/chat-logs/{subject}/**" is matched against the bucket and the object's key.
type Keys struct{ templates []template }

type template struct {
	segments []string
	meanings []formats.Meaning
	class    string
}

// NewKeys compiles the paths of a mapping, which may be nil.
func NewKeys(m *formats.Mapping) (*Keys, error) {
	k := &Keys{}
	if m == nil {
		return k, nil
	}
	for _, p := range m.Paths {
		t := template{class: p.Class}
		for seg := range strings.SplitSeq(strings.Trim(p.Template, "/"), "/") {
			meaning := formats.Meaning("")
			if len(seg) > 2 && seg[0] == '{' && seg[len(seg)-1] == '}' {
				switch meaning = formats.Meaning(seg[1 : len(seg)-1]); meaning {
				case formats.MeansSubject, formats.MeansConversation, formats.MeansTenant, formats.MeansTicket:
				default:
					return nil, fmt.Errorf("mapping: path %q: {%s} is not subject, conversation, tenant or ticket: for any other segment write *", p.Template, meaning)
				}
				seg = "*"
			}
			t.segments, t.meanings = append(t.segments, seg), append(t.meanings, meaning)
		}
		if i := slices.Index(t.segments, "**"); i >= 0 && i != len(t.segments)-1 {
			return nil, fmt.Errorf("mapping: path %q: ** must be the last segment", p.Template)
		}
		k.templates = append(k.templates, t)
	}
	return k, nil
}

// Fill takes what the first template that fits says of an object into e. A segment may
// carry an ending (c-17.json): ids are taken without one.
func (k *Keys) Fill(e *vigil.Event, bucket, key string) {
	if len(k.templates) == 0 || key == "" {
		return
	}
	const most = 24
	segments := make([]string, 0, 8)
	segments = append(segments, bucket)
	for seg := range strings.SplitSeq(key, "/") {
		if seg != "" && len(segments) < most {
			segments = append(segments, seg)
		}
	}
	for i := range k.templates {
		t := &k.templates[i]
		if !t.match(segments) {
			continue
		}
		e.ResourceClass = t.class
		for j, m := range t.meanings {
			if m == "" || j >= len(segments) {
				continue
			}
			id := strings.Clone(formats.Clean(segments[j], 256))
			if j == len(segments)-1 {
				id = withoutEnding(id)
			}
			Take(e, m, id)
		}
		return
	}
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

// withoutEnding cuts what names a kind of file: up to two endings of at most five
// letters and digits, the first of them a letter (.json, .json.gz).
func withoutEnding(name string) string {
	for range 2 {
		i := strings.LastIndexByte(name, '.')
		if i <= 0 || len(name)-i > 6 || len(name)-i < 2 || name[i+1] >= '0' && name[i+1] <= '9' {
			break
		}
		name = name[:i]
	}
	return name
}

// Take stores an id in e under its meaning.
func Take(e *vigil.Event, m formats.Meaning, id string) {
	if id == "" {
		return
	}
	switch m {
	case formats.MeansSubject:
		if len(e.Subjects) < vigil.MaxSubjects && !slices.Contains(e.Subjects[:min(len(e.Subjects), 64)], id) {
			e.Subjects = append(e.Subjects, id)
			e.SubjectCount = int64(len(e.Subjects))
		}
	case formats.MeansConversation:
		e.Conversation = id
	case formats.MeansTenant:
		e.ResourceTenant = id
	case formats.MeansTicket:
		e.Ticket = id
	case formats.MeansLimit:
		if n := formats.Count(id); n != vigil.Unknown {
			e.Limit = n
		}
	}
}
