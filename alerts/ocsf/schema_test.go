package ocsf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf"
)

// facts are what the schema says of the class and its objects.
type facts struct {
	Source, Version, Class string
	Objects                map[string]object
}

type object struct {
	Required   []string
	AtLeastOne []string `json:"at_least_one"`
	Attributes map[string]attribute
}

type attribute struct {
	Type    string
	Array   bool
	Profile string
	Enum    map[string]string
	Sibling string
}

var schema = sync.OnceValue(func() facts {
	text, err := os.ReadFile("testdata/detection_finding-" + ocsf.SchemaVersion + ".json")
	if err != nil {
		panic(err)
	}
	var f facts
	if err := json.Unmarshal(text, &f); err != nil {
		panic(err)
	}
	return f
})

// check holds a value against the object of that name.
func (f facts) check(at, name string, v any, profiles []any) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	obj, known := f.Objects[name]
	if !known {
		return []string{at + ": the schema has no object " + name}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return []string{at + ": no object"}
	}
	for _, r := range obj.Required {
		if _, ok := m[r]; !ok {
			say("%s is missing", r)
		}
	}
	if len(obj.AtLeastOne) > 0 && !slices.ContainsFunc(obj.AtLeastOne, func(a string) bool { _, ok := m[a]; return ok }) {
		say("none of %v is there", obj.AtLeastOne)
	}
	for key, value := range m {
		a, ok := obj.Attributes[key]
		if !ok {
			say("%s is no attribute", key)
			continue
		}
		if a.Profile != "" && !slices.Contains(profiles, any(a.Profile)) {
			say("%s is of the profile %s, which is not named", key, a.Profile)
		}
		values := []any{value}
		if a.Array {
			if values, ok = value.([]any); !ok || len(values) == 0 {
				say("%s is no list, or an empty one", key)
				continue
			}
		}
		for i, e := range values {
			wrong = append(wrong, f.value(at+"."+key+"["+strconv.Itoa(i)+"]", a, e, profiles)...)
		}
		if a.Enum != nil {
			caption, ok := a.Enum[fmt.Sprint(value)]
			if !ok {
				say("%s %v is none of the enum", key, value)
			}
			// Of "Other" the sibling is the source's own word.
			if s := m[a.Sibling]; caption != "" && s != caption || s == "" {
				say("%s is %q beside %s %v (%s)", a.Sibling, s, key, value, caption)
			}
		}
	}
	return wrong
}

func (f facts) value(at string, a attribute, v any, profiles []any) []string {
	var fits bool
	switch a.Type {
	case "string":
		s, ok := v.(string)
		fits = ok && s != ""
	case "boolean":
		_, fits = v.(bool)
	case "integer", "timestamp":
		var n float64
		n, fits = v.(float64)
		fits = fits && n == math.Trunc(n)
		if a.Type == "integer" {
			fits = fits && math.Abs(n) <= math.MaxInt32
		} else {
			// Milliseconds: later than 2001 and before 2286, so neither seconds nor nanoseconds.
			fits = fits && n > 1e12 && n < 1e13
		}
	case "json":
		fits = v != nil
	default:
		return f.check(at, a.Type, v, profiles)
	}
	if !fits {
		return []string{fmt.Sprintf("%s: %v is no %s", at, v, a.Type)}
	}
	return nil
}

// event encodes a message and holds it against the schema.
func event(t testing.TB, e *ocsf.Encoder, m alerts.Message) (ocsf.Event, map[string]any) {
	t.Helper()
	ev, err := e.Event(m)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(ev.JSON, &v); err != nil {
		t.Fatalf("no JSON: %v\n%s", err, ev.JSON)
	}
	meta, _ := v["metadata"].(map[string]any)
	profiles, _ := meta["profiles"].([]any)
	f := schema()
	for _, w := range f.check(f.Class, f.Class, v, profiles) {
		t.Error(w)
	}
	if meta["version"] != f.Version || meta["uid"] != ev.UID {
		t.Errorf("version %v, uid %v, event %q", meta["version"], meta["uid"], ev.UID)
	}
	return ev, v
}

func encoder(t testing.TB, max int) *ocsf.Encoder {
	t.Helper()
	e, err := ocsf.New(ocsf.Options{Console: alertstest.Console, Version: "1.2.3", MaxBytes: max})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestSchema holds each sample's event against what the schema says.
func TestSchema(t *testing.T) {
	t.Parallel()
	samples := alertstest.Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		m := samples[name]
		if m.Kind == alerts.KindDigest || m.Kind == alerts.KindNotice && m.Notice.Severity == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event(t, encoder(t, 0), m)
			event(t, encoder(t, ocsf.LeastMaxBytes), m)
		})
	}
	for _, w := range append(vigil.Words(), "nonsense") {
		m := samples["case-resolved"]
		c := *m.Case
		c.Word = w
		m.Case = &c
		event(t, encoder(t, 0), m)
	}
	for _, k := range []vigil.ActorKind{"", vigil.KindHuman, vigil.KindAdmin, vigil.KindService, vigil.KindBot, vigil.KindVendor, vigil.KindAnonymous} {
		f := alertstest.Export()
		f.ActorKind = k
		event(t, encoder(t, 0), alertstest.Message(f))
	}
	for _, s := range []vigil.Severity{"", vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical} {
		f := alertstest.Export()
		f.Severity, f.Triage = s, &vigil.Triage{Known: true, P: float64(len(s)) / 8}
		event(t, encoder(t, 0), alertstest.Message(f))
	}
}

// TestSchemaBites shows that the facts refuse what they are there to refuse.
func TestSchemaBites(t *testing.T) {
	t.Parallel()
	f := schema()
	whole := func() map[string]any {
		_, v := event(t, encoder(t, 0), alertstest.Samples()["case-resolved"])
		return v
	}
	for name, spoil := range map[string]func(v map[string]any){
		"required":  func(v map[string]any) { delete(v, "severity_id") },
		"enum":      func(v map[string]any) { v["status_id"] = float64(17) },
		"caption":   func(v map[string]any) { v["status"] = "Open" },
		"type":      func(v map[string]any) { v["time"] = "2026-11-03T00:00:00Z" },
		"seconds":   func(v map[string]any) { v["time"] = float64(1793664000) },
		"attribute": func(v map[string]any) { v["owner"] = "x" },
		"nested":    func(v map[string]any) { delete(v["finding_info"].(map[string]any), "uid") },
		"one of":    func(v map[string]any) { v["evidences"].([]any)[0] = map[string]any{"name": "x"} },
	} {
		v := whole()
		spoil(v)
		if len(f.check(f.Class, f.Class, v, []any{"incident", "host"})) == 0 {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
	if len(f.check(f.Class, f.Class, whole(), nil)) == 0 {
		t.Error("attributes of profiles that are not named pass")
	}
}
