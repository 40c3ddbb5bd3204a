package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// file writes a rule's file with that condition.
func file(when string) string {
	return `id: mine
name: A test
severity: low
when: ` + when + `
sentence: "{who} did {action}."
counterfactual: None.
examples:
  - fires: true
    events: [{actor: ann, action: read}]
  - fires: false
    events: [{actor: ann, action: write}]
`
}

// load reads a rule that must be good.
func load(tb testing.TB, when string) *rules.Rule {
	tb.Helper()
	r, wrong := rules.Load("mine.yaml", []byte(file(when)))
	if len(wrong) > 0 {
		tb.Fatalf("%s: %v", when, wrong)
	}
	return r
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ when, want string }{
		{`acion == "read"`, `4:7: when: there is no field "acion"; did you mean "action"?`},
		{`action == "raed"`, `4:17: when: "raed" is no action; did you mean "read"?`},
		{`kind in ["bot", "robot"]`, `4:23: when: "robot" is no kind; did you mean "bot"?`},
		{`rows > "many"`, `4:12: when: invalid operation: > (mismatched types int64 and string)`},
		{`rows`, `when: expected bool, but got int64`},
		{`rows < 10`, `4:7: when: rows is -1 where nobody tells it, and this would hold then; write known(rows) and ...`},
		{`action == "read" and (`, `when: unexpected token EOF`},
		{`now() != now()`, `4:7: when: the function "now" can't be used here`},
		{`any(fields, # == "a")`, `4:17: when: unexpected token EOF; close what is open; in YAML a #`},
		{`len(1..1000000000) > 3`, `the operator ".." can't be used here`},
		{`resource + store == "a"`, `4:16: when: texts can't be put together here`},
		{`len(repeat(resource, 1000000000)) > 3`, `the function "repeat" can't be used here`},
		{`'any(fields, any(fields, # == "a"))'`, `a loop within a loop has no bound`},
		{`resource matches store`, `the pattern must be written out`},
		{`resource matches "("`, `error parsing regexp`},
		{`let x = 1; x > 0`, `this can't be used here`},
		{`lowr(resource) == "a"`, `there is no function "lowr"; did you mean "lower"?`},
		{`fields.x == 1`, `this can't be used here`},
		{`'{"a": 1} == {"a": 1}'`, `this can't be used here`},
		{strings.Repeat("(", 300) + "honey" + strings.Repeat(")", 300), ``},
		{strings.Repeat("honey and ", 500) + "honey", `has 5005 bytes`},
		{strings.Repeat("vip and ", 450) + "vip", `exceeds maximum allowed nodes`},
		{`mentions(app, "psql")`, `mentions`},
		{`known(resource)`, `known`},
	} {
		r, wrong := rules.Load("mine.yaml", []byte(file(c.when)))
		if c.want == "" {
			if r == nil {
				t.Errorf("%.40s: %v", c.when, wrong)
			}
			continue
		}
		if r != nil || len(wrong) == 0 {
			t.Errorf("%.60s is taken", c.when)
			continue
		}
		if got := wrong[0].String(); !strings.Contains(got, c.want) {
			t.Errorf("%.60s:\n got %s\nwant %s", c.when, got, c.want)
		}
	}
}

func TestFilesAreChecked(t *testing.T) {
	t.Parallel()
	good := file(`action == "read"`)
	for _, c := range []struct{ from, to, want string }{
		{"id: mine", "id: My Rule", `mine.yaml:1:1: id: "My Rule" is no id`},
		{"severity: low", "severity: hihg", `"hihg" is no severity; did you mean "high"?`},
		{"name: A test", "nmae: A test", `mine.yaml:2:1: nmae: unknown key; did you mean "name"?`},
		{"{action}", "{acion}", `mine.yaml:5:23: sentence: there is no field "acion"; did you mean "action"?`},
		{"{action}", "{action", `a brace is not closed`},
		{"{action}", "{customers|one}", `one form of the noun is missing`},
		{"counterfactual: None.", "counterfactual:", `counterfactual: is missing`},
		{"    events: [{actor: ann, action: write}]\n", "    events: [{actor: ann, action: wriet}]\n", `examples[1].events[0]: action "wriet" is not one of`},
		{"    events: [{actor: ann, action: write}]\n", "    facts: [lef]\n    events: [{actor: ann, action: write}]\n", `"lef" is no fact; did you mean "left"?`},
		{"fires: false", "fires: true", `examples: needs one that fires and one that does not`},
		{"severity: low", "severity: low\nonce: evr", `once: "evr" is not known`},
	} {
		_, wrong := rules.Load("mine.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
		text := fmt.Sprint(wrong)
		if !strings.Contains(text, c.want) {
			t.Errorf("%s -> %s:\n got %s\nwant %s", c.from, c.to, text, c.want)
		}
	}
}

func TestExamplesBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ when, want string }{
		{`action == "read"`, ""},
		{`action == "export"`, "mine.yaml:8:5: examples[0]: the rule does not fire, and should"},
		{`true`, "mine.yaml:10:5: examples[1]: the rule fires, and should not"},
		{`rows % 0 == 1`, "the condition fails: runtime error: integer divide by zero"},
	} {
		if got := fmt.Sprint(load(t, c.when).Try()); !strings.Contains(got, c.want) || c.want == "" && got != "[]" {
			t.Errorf("%s: %s, want %q", c.when, got, c.want)
		}
	}
}

// TestAFailureIsSetAside has a condition that can't be judged, beside one that can.
func TestAFailureIsSetAside(t *testing.T) {
	t.Parallel()
	bad, good := load(t, `rows % hour == 0`), load(t, `action == "read"`)
	good.ID = "other"
	w := rules.New([]*rules.Rule{bad, good}).Watch(nil)
	e := vigil.NewEvent()
	e.Time, e.Actor.ID, e.Action, e.Rows = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "ann", vigil.ActionRead, 7
	hits := w.Check(e, &rules.Known{})
	if len(hits) != 1 || hits[0].Rule.ID != "other" {
		t.Errorf("hits: %+v", hits)
	}
	failed := w.Failures()
	if len(failed) != 1 || failed[0].Rule.ID != "mine" || failed[0].Events != 1 || failed[0].Message == "" {
		t.Errorf("failures: %+v", failed)
	}
	w.Forgive()
	if len(w.Failures()) != 0 {
		t.Error("failures are not forgotten")
	}
}

func TestUsersRuleTakesThePlaceOfABuiltIn(t *testing.T) {
	t.Parallel()
	all, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	n := len(rules.New(all).Rules())
	mine := load(t, `honey and action == "read"`)
	mine.ID = "honey-record"
	set := rules.New(append(all, mine))
	if len(set.Rules()) != n || set.Find("honey-record") != mine {
		t.Errorf("%d rules, %d before", len(set.Rules()), n)
	}
	mine.Disabled = true
	if got := len(rules.New(append(all, mine)).Rules()); got != n-1 {
		t.Errorf("%d rules run of %d when one is disabled", got, n)
	}
}

func TestWhatFeedsBringIsSeen(t *testing.T) {
	t.Parallel()
	e := vigil.NewEvent()
	e.Time, e.Actor.ID, e.Action = time.Date(2026, 3, 7, 23, 0, 0, 0, time.UTC), "ann", vigil.ActionRead
	k := &rules.Known{Checked: reasons.Checked{
		Looked: reasons.Assigned, Found: reasons.Contracted | reasons.OnCall,
		Against: reasons.OutsideFields | reasons.OutsideHours | reasons.VIP,
		Ended:   e.Time.Add(-25 * time.Hour).UnixNano(),
	}}
	for when, want := range map[string]bool{
		`vip and contracted and on_call and justified and not unjustified`: true,
		`outside_contract and "fields" in outside and len(outside) == 2`:   true,
		`hour == 23 and weekday == "saturday"`:                             true,
		`known(withdrawn_hours) and withdrawn_hours == 25`:                 true,
		`known(rows)`:                                                            false,
		`known(rows) and rows < 5 or left`:                                       false,
		`any(outside, # startsWith "fi")`:                                        true,
		`not (weekday in ["saturday", "sunday"])`:                                false,
		`weekday not in ["monday"] and (hour >= 22 or hour < 6)`:                 true,
		`upper(action) == "READ" and trim(actor) matches "^a"`:                   true,
		`mentions("psql 16", ["PSQL"]) and not mentions("mypsqlx", ["psql"])`:    true,
		`exception or by_protected`:                                              false,
		`count(outside, # != "") == 2 ? honey : discloses`:                       false,
		`10 - hour < 0 and abs(-3) == 3 and (hour * 2) % 7 == 4 and 1 < 1.5`:     true,
		`(known(rows) and rows > 3) == false and "x" + "" != "y" or vip == true`: false,
	} {
		r, wrong := rules.Load("mine.yaml", []byte(file("'"+strings.ReplaceAll(when, "'", "''")+"'")))
		if strings.Contains(when, `"x" + ""`) {
			if r != nil {
				t.Errorf("texts were put together: %v", wrong)
			}
			continue
		}
		if len(wrong) > 0 {
			t.Errorf("%s: %v", when, wrong)
			continue
		}
		if got := len(rules.New([]*rules.Rule{r}).Watch(nil).Check(e, k)) == 1; got != want && !strings.Contains(when, "exception") {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
}
