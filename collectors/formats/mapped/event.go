package mapped

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// The bounds of what is taken.
const (
	maxText   = 512
	maxFields = 256
	maxList   = vigil.MaxSubjects
)

// setters put a field's values into an event. One that is nil is dealt with by itself.
var setters = map[string]func(e *vigil.Event, value string) error{
	fieldTime: nil, fieldMethod: nil, fieldURL: nil, fieldStatus: nil,

	fieldActor: func(e *vigil.Event, s string) error { e.Actor.ID = s; return nil },
	"actor_kind": func(e *vigil.Event, s string) error {
		if e.Actor.Kind = vigil.ActorKind(s); !e.Actor.Kind.Valid() {
			return errValue("actor_kind", s)
		}
		return nil
	},
	"role":    func(e *vigil.Event, s string) error { e.Actor.Role = s; return nil },
	"team":    func(e *vigil.Event, s string) error { e.Actor.Team = s; return nil },
	"tenant":  func(e *vigil.Event, s string) error { e.Actor.Tenant = s; return nil },
	"app":     func(e *vigil.Event, s string) error { e.Actor.App = s; return nil },
	"id":      func(e *vigil.Event, s string) error { e.ID = s; return nil },
	"session": func(e *vigil.Event, s string) error { e.Session = s; return nil },

	"conversation":    func(e *vigil.Event, s string) error { e.Conversation = s; return nil },
	"principal":       func(e *vigil.Event, s string) error { e.Principal = s; return nil },
	"store":           func(e *vigil.Event, s string) error { e.Store = s; return nil },
	"resource":        func(e *vigil.Event, s string) error { e.Resource = s; return nil },
	"resource_class":  func(e *vigil.Event, s string) error { e.ResourceClass = s; return nil },
	"resource_tenant": func(e *vigil.Event, s string) error { e.ResourceTenant = s; return nil },
	"ticket":          func(e *vigil.Event, s string) error { e.Ticket = s; return nil },
	"purpose":         func(e *vigil.Event, s string) error { e.Purpose = s; return nil },
	"user_agent":      func(e *vigil.Event, s string) error { e.UserAgent = s; return nil },
	"shape":           func(e *vigil.Event, s string) error { e.Shape = s; return nil },
	"ip":              func(e *vigil.Event, s string) error { e.IP = formats.Address(s); return nil },
	"destination":     func(e *vigil.Event, s string) error { e.Destination = &vigil.Destination{Kind: s}; return nil },

	fieldAction: func(e *vigil.Event, s string) error {
		// Of words that are none of ours the verb tells.
		if e.Action = vigil.Action(strings.ToLower(s)); !e.Action.Valid() {
			e.Action = formats.Verb(s)
		}
		return nil
	},
	"outcome": func(e *vigil.Event, s string) (err error) { e.Outcome, err = outcome(s); return err },
	"unbounded": func(e *vigil.Event, s string) (err error) {
		if e.Unbounded, err = strconv.ParseBool(s); err != nil {
			return errValue("unbounded", s)
		}
		return nil
	},
	"subjects": func(e *vigil.Event, s string) error {
		if len(e.Subjects) < maxList {
			e.Subjects = append(e.Subjects, s)
		}
		return nil
	},
	"fields": func(e *vigil.Event, s string) error {
		if len(e.Fields) < maxFields {
			e.Fields = append(e.Fields, s)
		}
		return nil
	},
	"subject_count": func(e *vigil.Event, s string) error { return count("subject_count", &e.SubjectCount, s) },
	"rows":          func(e *vigil.Event, s string) error { return count("rows", &e.Rows, s) },
	"bytes":         func(e *vigil.Event, s string) error { return count("bytes", &e.Bytes, s) },
	"limit":         func(e *vigil.Event, s string) error { return count("limit", &e.Limit, s) },
}

func errValue(name, value string) error {
	return formats.Errorf("field", "%s is %.60q, which it can't be: give the field a map", name, value)
}

func count(name string, to *int64, s string) error {
	if *to = formats.Count(s); *to == vigil.Unknown {
		return formats.Errorf("count", "%s is %.60q, which is no whole number", name, s)
	}
	return nil
}

// outcomes are the words for them that are understood without a map.
var outcomes = map[string]vigil.Outcome{
	"success": vigil.OutcomeSuccess, "succeeded": vigil.OutcomeSuccess, "successful": vigil.OutcomeSuccess, "ok": vigil.OutcomeSuccess, "true": vigil.OutcomeSuccess,
	"allowed": vigil.OutcomeSuccess, "allow": vigil.OutcomeSuccess, "granted": vigil.OutcomeSuccess, "permit": vigil.OutcomeSuccess,
	"denied": vigil.OutcomeDenied, "deny": vigil.OutcomeDenied, "forbidden": vigil.OutcomeDenied, "unauthorized": vigil.OutcomeDenied, "blocked": vigil.OutcomeDenied,
	"rejected": vigil.OutcomeDenied,
	"error":    vigil.OutcomeError, "failure": vigil.OutcomeError, "failed": vigil.OutcomeError, "fail": vigil.OutcomeError, "false": vigil.OutcomeError,
}

func outcome(s string) (vigil.Outcome, error) {
	if o, ok := outcomes[strings.ToLower(s)]; ok {
		return o, nil
	}
	if n := formats.Count(s); len(s) == 3 && n != vigil.Unknown {
		return formats.OutcomeOfStatus(n), nil
	}
	return "", errValue("outcome", s)
}

// fill fills in an event.
func (r *reader) fill(rec *record.Record, v gjson.Result, e *vigil.Event) error {
	if url := r.file.Fields[fieldURL]; url != nil {
		r.request(v, e)
	}
	at, ok := r.time(v)
	if !ok {
		return formats.Errorf("time", "the time can't be read: see to its path, layout and zone in the mapping")
	}
	e.Time = at
	for _, name := range r.file.order() {
		set := setters[name]
		if set == nil {
			continue
		}
		if name == "subjects" {
			e.Subjects = nil // what is mapped wins over what the URL told
		}
		for i, s := range r.file.Fields[name].values(v) {
			if i >= maxList {
				break
			}
			if s = rec.Clean(s, maxText); s == "" || s == "-" {
				continue
			}
			if err := set(e, s); err != nil {
				return err
			}
		}
	}
	slices.Sort(e.Fields)
	e.Fields = slices.Compact(e.Fields)
	switch {
	case e.Actor.ID == "":
		return formats.Errorf("actor", "there is no actor where the mapping looks for it")
	case e.Action == "":
		return formats.Errorf("action", "there is no action where the mapping looks for it: give it a default")
	}
	if n := int64(len(e.Subjects)); n > 0 && e.SubjectCount < n {
		e.SubjectCount = n
	}
	return nil
}

// request fills in what a URL tells, as web servers' logs have it.
func (r *reader) request(v gjson.Result, e *vigil.Event) {
	f := &r.fields
	f.Reset()
	method := "GET"
	if m := r.file.Fields[fieldMethod]; m != nil {
		method = strings.ToUpper(m.first(v))
	}
	f.Set(web.FieldMethod, method)
	f.Set(web.FieldURI, r.file.Fields[fieldURL].first(v))
	if s := r.file.Fields[fieldStatus]; s != nil {
		e.Outcome = formats.OutcomeOfStatus(formats.Count(s.first(v)))
	}
	r.web.Request(e, f)
}

// order lists the mapped fields, always in one order.
func (f *File) order() []string {
	if f.names == nil {
		for name := range f.Fields {
			f.names = append(f.names, name)
		}
		slices.Sort(f.names)
	}
	return f.names
}
