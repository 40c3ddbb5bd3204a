package formatstest

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// Samples is where real logs of a format lie, beside the project.
type Samples struct {
	// Dirs are the folders under ../shared/logs.
	Dirs []string
	// Foreign names the files there that are not of the format, with the reason.
	Foreign map[string]string
	// Broken says how many records of a file truly miss what an event needs.
	Broken map[string]int
	// Disagree says, of a record whose expected fields differ from the event's, why that
	// is right; empty for a true disagreement. May be nil.
	Disagree func(field string, e *vigil.Event, expected Expected) string
}

// Expected is what another product takes from a record.
type Expected struct {
	Time     time.Time `json:"@timestamp"`
	User     Identity  `json:"user"`
	Source   Endpoint  `json:"source"`
	Client   Endpoint  `json:"client"`
	Original struct {
		Action, Outcome, Original string
		Category                  texts
	} `json:"event"`
}

// texts is a list of texts, of which one may stand by itself.
type texts []string

// UnmarshalJSON takes a text or a list of them.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// Identity is a user as it is expected.
type Identity struct{ Name, Email, ID string }

// Endpoint is a client as it is expected.
type Endpoint struct {
	IP, Address string
	User        Identity
}

// categories says which actions are an event category of ECS.
var categories = map[string][]vigil.Action{
	"authentication": {vigil.ActionLogin, vigil.ActionLogout, vigil.ActionImpersonate},
	"session":        {vigil.ActionLogin, vigil.ActionLogout, vigil.ActionImpersonate},
	"iam":            {vigil.ActionGrant, vigil.ActionConfigure, vigil.ActionWrite, vigil.ActionDelete, vigil.ActionShare},
	"configuration":  {vigil.ActionGrant, vigil.ActionConfigure, vigil.ActionWrite, vigil.ActionDelete, vigil.ActionShare},
	"file":           {vigil.ActionRead, vigil.ActionWrite, vigil.ActionDelete, vigil.ActionShare, vigil.ActionExport, vigil.ActionSearch, vigil.ActionGrant, vigil.ActionConfigure},
	"database":       {vigil.ActionRead, vigil.ActionWrite, vigil.ActionDelete, vigil.ActionSearch, vigil.ActionExport, vigil.ActionExecute, vigil.ActionConfigure, vigil.ActionGrant},
	"email":          {vigil.ActionRead, vigil.ActionWrite, vigil.ActionDelete, vigil.ActionShare, vigil.ActionExport, vigil.ActionSearch},
}

// Check decodes each sample: none is refused by Detect, nearly none of its records is set
// aside, and where another product's reading stands beside it, the events agree with it
// in actor, action, time, address and outcome in 98 of 100.
func (s Samples) Check(t *testing.T, f formats.Format) {
	t.Helper()
	var files []string
	for _, dir := range s.Dirs {
		found, _ := filepath.Glob(filepath.Join(moduleRoot(t), "..", "shared", "logs", dir, "*"))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	events, bad, read, same, differ, skipped := 0, 0, 0, 0, 0, 0
	for _, path := range files {
		base := filepath.Base(path)
		if strings.HasSuffix(base, "-expected.json") || s.Foreign[base] != "" {
			continue
		}
		input, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sure := f.Detect(input[:min(len(input), formats.MaxSample)])
		if sure < 0.5 {
			t.Errorf("%s: the format is not sure of it: %.2f", base, sure)
		}
		got, errs := Decode(t, f, formats.Options{Source: "sample", File: base}, string(input))
		read++
		events += len(got)
		bad += max(0, len(errs)-s.Broken[base])
		t.Logf("%-80s sure %.2f events %4d set aside %d", base, sure, len(got), len(errs))
		for _, e := range errs {
			t.Logf("    line %d: %s: %s", e.Line.Number, e.Code, e.Reason)
		}
		if want, err := os.ReadFile(path + "-expected.json"); err == nil {
			a, b, c := s.agree(t, f, base, input, want)
			same, differ, skipped = same+a, differ+b, skipped+c
		}
	}
	t.Logf("%s: %d files, %d events, %d records set aside; of %d records with another product's reading %d agree, %d differ, %d are no access",
		f.Name(), read, events, bad, same+differ+skipped, same, differ, skipped)
	if bad*200 > events+bad {
		t.Errorf("%d records were set aside, and %d events came out", bad, events)
	}
	if differ*50 > same+differ {
		t.Errorf("%d of %d records disagree", differ, same+differ)
	}
}

// agree compares record by record.
func (s Samples) agree(t *testing.T, f formats.Format, base string, input, want []byte) (same, differ, skipped int) {
	t.Helper()
	expected, err := expectedOf(want)
	if err != nil {
		t.Errorf("%s-expected.json: %v", base, err)
		return 0, 0, 0
	}
	records := recordsOf(input)
	for i, x := range expected {
		if x == nil {
			continue
		}
		record := x.Original.Original
		if len(records) == len(expected) {
			record = records[i]
		}
		if record == "" {
			continue
		}
		got, _ := Decode(t, f, formats.Options{Source: "sample", File: base}, record)
		if len(got) == 0 {
			skipped++
			t.Logf("    record %d is no access: %s %v", i+1, x.Original.Action, x.Original.Category)
			continue
		}
		var why []string
		for _, e := range got {
			if why = s.differs(e, *x); len(why) == 0 {
				break
			}
		}
		if len(why) == 0 {
			same++
			continue
		}
		differ++
		t.Logf("    record %d differs: %s", i+1, strings.Join(why, "; "))
	}
	return same, differ, skipped
}

// expectedOf reads what is expected: {"expected": [...]}, or a list whose keys are dotted.
func expectedOf(want []byte) ([]*Expected, error) {
	var w struct{ Expected []*Expected }
	if json.Unmarshal(want, &w) == nil {
		return w.Expected, nil
	}
	var list []map[string]any
	if err := json.Unmarshal(want, &list); err != nil {
		return nil, err
	}
	for _, flat := range list {
		tree := map[string]any{}
		for key, v := range flat {
			at := tree
			for {
				first, rest, dotted := strings.Cut(key, ".")
				if !dotted {
					break
				}
				next, ok := at[first].(map[string]any)
				if !ok {
					next = map[string]any{}
					at[first] = next
				}
				at, key = next, rest
			}
			if _, isText := v.(string); isText && key == "category" {
				v = []any{v}
			}
			at[key] = v
		}
		b, err := json.Marshal(tree)
		if err != nil {
			return nil, err
		}
		x := &Expected{}
		if err := json.Unmarshal(b, x); err != nil {
			return nil, err
		}
		w.Expected = append(w.Expected, x)
	}
	return w.Expected, nil
}

// recordsOf takes the records out of a sample: lines, or {"events": [...]}.
func recordsOf(input []byte) (records []string) {
	var doc struct{ Events []json.RawMessage }
	if json.Unmarshal(input, &doc) == nil && doc.Events != nil {
		for _, e := range doc.Events {
			var held struct {
				Message string
				Event   struct{ Original string }
			}
			_ = json.Unmarshal(e, &held)
			records = append(records, cmp.Or(held.Event.Original, held.Message, string(e)))
		}
		return records
	}
	for line := range strings.Lines(string(input)) {
		if line = strings.TrimSpace(line); line != "" {
			records = append(records, line)
		}
	}
	return records
}

// differs says in what an event differs from what is expected.
func (s Samples) differs(e *vigil.Event, x Expected) (why []string) {
	note := func(field, got, want string) {
		if s.Disagree == nil || s.Disagree(field, e, x) == "" {
			why = append(why, field+" is "+got+", expected "+want)
		}
	}
	var users []string
	for _, u := range []Identity{x.User, x.Source.User, x.Client.User} {
		for _, v := range []string{u.Name, u.Email, u.ID} {
			if v != "" && v != "-" {
				users = append(users, strings.ToLower(v))
			}
		}
	}
	actor := strings.ToLower(e.Actor.ID)
	local, _, _ := strings.Cut(actor, "@")
	if len(users) > 0 && !slices.Contains(users, actor) && !slices.Contains(users, local) {
		note("actor", e.Actor.ID, strings.Join(users, " or "))
	}
	if !x.Time.IsZero() && !e.Time.Truncate(time.Millisecond).Equal(x.Time.Truncate(time.Millisecond)) {
		note("time", e.Time.String(), x.Time.String())
	}
	ip := x.Source.IP
	if ip == "" {
		ip = x.Client.IP
	}
	if ip != "" && formats.Address(ip) != e.IP {
		note("address", e.IP, ip)
	}
	switch x.Original.Outcome {
	case "success":
		if e.Outcome != vigil.OutcomeSuccess {
			note("outcome", string(e.Outcome), "success")
		}
	case "failure":
		if e.Outcome != vigil.OutcomeDenied && e.Outcome != vigil.OutcomeError {
			note("outcome", string(e.Outcome), "failure")
		}
	}
	var may []vigil.Action
	for _, c := range x.Original.Category {
		may = append(may, categories[c]...)
	}
	if len(may) > 0 && !slices.Contains(may, e.Action) {
		note("action", string(e.Action)+" of "+e.Shape, strings.Join(x.Original.Category, " "))
	}
	return why
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("there is no go.mod above the test")
		}
		dir = up
	}
}
