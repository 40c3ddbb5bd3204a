package feeds_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/feeds"
)

func spec(kind vigil.FactKind) feeds.Spec { return feeds.Spec{Name: "f", Kind: kind} }

func TestReadsEveryForm(t *testing.T) {
	t.Parallel()
	day := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, time.UTC) }
	want := []vigil.Shift{
		{Who: vigil.Who{Actor: "maria"}, Duty: vigil.DutyAbsent, Period: vigil.Period{From: day(2, 0), To: day(7, 0)}},
		{Who: vigil.Who{Team: "emea"}, Duty: vigil.DutyShift, Period: vigil.Period{From: day(2, 8), To: day(2, 16)}},
	}
	for name, text := range map[string]string{
		"comma.csv":     "actor,team,duty,from,to,colour\nmaria,,Absent,2026-03-02,2026-03-06,red\n,emea,,2026-03-02 08:00,2026-03-02T16:00:00Z,\n",
		"semicolon.csv": "\xef\xbb\xbfActor;Team;Duty;From;To\r\nmaria;;absent;2026-03-02;2026-03-06\r\n;emea;shift;2026-03-02T08:00;2026-03-02 16:00:00\r\n",
		"tab.tsv":       "actor\tteam\tduty\tfrom\tto\nmaria\t\tabsent\t2026-03-02\t2026-03-06\n\temea\t\t2026-03-02 08:00\t2026-03-02 16:00\n",
		"array.json":    `[{"actor":"maria","duty":"absent","from":"2026-03-02","to":"2026-03-06"}, {"team":"emea","actor":null,"from":"2026-03-02T09:00:00+01:00","to":"2026-03-02T16:00:00Z","more":{"a":1}}]`,
		"lines.ndjson":  "{\"actor\":\"maria\",\"duty\":\"absent\",\"from\":\"2026-03-02\",\"to\":\"2026-03-06\"}\n{\"team\":\"emea\",\"from\":\"2026-03-02T08:00:00Z\",\"to\":\"2026-03-02T16:00:00Z\"}\n",
		"list.yaml":     "# the rota\n- actor: maria\n  duty: absent\n  from: 2026-03-02\n  to: 2026-03-06\n- {team: emea, from: \"2026-03-02 08:00\", to: 2026-03-02T16:00:00Z}\n",
		"push":          `[{"actor":"maria","duty":"absent","from":"2026-03-02","to":"2026-03-06"},{"team":"emea","from":"2026-03-02 08:00","to":"2026-03-02 16:00"}]`,
	} {
		r, err := feeds.Read(spec(vigil.FactShift), name, []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, r.Facts.Shifts); diff != "" || r.Aside != 0 || r.Records != 2 {
			t.Errorf("%s: %d records, %d aside, %v\n%s", name, r.Records, r.Aside, r.Problems, diff)
		}
	}
}

func TestColumnsZonesAndLists(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := feeds.Spec{Name: "hr", Kind: vigil.FactPerson, Columns: map[string]string{"actor": "Login Name", "last_day": "Letzter Tag"}, Location: berlin}
	r, err := feeds.Read(s, "hr.csv", []byte("login name,Letzter Tag,role\nmaria,2026-03-31,agent\n"))
	if err != nil {
		t.Fatal(err)
	}
	// The day after the last begins at midnight in Berlin, in summer time by then.
	if p := r.Facts.People[0]; p.Actor != "maria" || p.Role != "agent" || !p.Leaves.Equal(time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
	r, err = feeds.Read(spec(vigil.FactContract), "c.yaml", []byte("- actor: acme\n  stores: [chat, crm]\n  hours: 8;9\n  actions: [read]\n  per_day: 50\n  per_customer: yes\n  from: 2026-01-01\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []vigil.Contract{{
		Who: vigil.Who{Actor: "acme"}, Stores: []string{"chat", "crm"}, Hours: []int{8, 9}, Actions: []vigil.Action{vigil.ActionRead}, PerDay: 50, PerCustomer: true,
		Period: vigil.Period{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	}}
	if diff := cmp.Diff(want, r.Facts.Contracts); diff != "" {
		t.Error(diff)
	}
}

func TestBadRecordsAreSetAside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind vigil.FactKind
		text string
		want string // of the first problem
		kept int
	}{
		{"a.csv", vigil.FactPerson, "actor,leaves\nmaria,31.03.2026\nbob,2026-03-31\n", `a.csv:2:7: leaves: "31.03.2026" is no time; write 2026-03-31`, 1},
		{"a.csv", vigil.FactPerson, "actor,leaves\n,2026-03-31\nbob,\n", "a.csv:2: actor is missing; correct the record", 1},
		{"a.csv", vigil.FactPerson, "actor,actor_kind\nmaria,robot\nbob,HUMAN\n", `actor_kind "robot" is not human`, 1},
		{"a.csv", vigil.FactPerson, "actor,role\nmaria\nbob,agent\n", "a.csv:2: it has 1 values, the header 2", 1},
		{"a.csv", vigil.FactPerson, "actor,role\n\"ma\"ria,x\nbob,agent\n", "a.csv:2:", 1},
		{"a.csv", vigil.FactShift, "actor,from,to\nmaria,2026-03-02 10:00,2026-03-02 08:00\n", "it ends (2026-03-02T08:00:00Z) before it begins", 0},
		{"a.csv", vigil.FactShift, "actor,duty,from,to\nmaria,holiday,2026-03-02,2026-03-03\n", `duty "holiday" is not shift, on-call or absent`, 0},
		{"a.csv", vigil.FactAssignment, "actor,ticket\nmaria,\n", "it names no work", 0},
		{"a.csv", vigil.FactPurpose, "actor,purpose,per_day\nmaria,qa,many\n", `per_day: "many" is no whole number`, 0},
		{"a.csv", vigil.FactCustomer, "subject,vip\nc1,maybe\n", `vip: "maybe" is neither yes nor no`, 0},
		{"a.csv", vigil.FactContract, "actor,hours\nacme,8;25\n", "hour 25 is not 0 to 23", 0},
		{"a.json", vigil.FactPerson, "[{\"actor\":\"a\"},\n{\"actor\":{\"id\":1}},\n7]", "a.json:2: actor: it is an object", 1},
		{"a.json", vigil.FactPerson, "[{\"actor\":[\"a\",\"b\"]}]", "one value is expected", 0},
		{"a.yaml", vigil.FactPerson, "- actor: a\n- b\n- actor: {id: 1}\n", "a.yaml:2:3: keys with values are expected", 1},
		{"a.csv", vigil.FactPerson, "actor,role\nmaria,agent\nmaria,lead\n", "a.csv:3: the record stands there twice", 1},
		{"a.csv", vigil.FactShift, "actor,from,to\nm,2026-03-02 08:00,2026-03-02 16:00\nm,2026-03-02 12:00,2026-03-02 20:00\n", "1 periods of the same person and duty overlap", 2},
		{"a.csv", vigil.FactPerson, "actor\n" + strings.Repeat("x", 5000) + "\n", "the value has 5000 bytes, at most 4096", 0},
	} {
		r, err := feeds.Read(spec(c.kind), c.name, []byte(c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		kept := len(r.Facts.People) + len(r.Facts.Shifts) + len(r.Facts.Assignments) + len(r.Facts.Purposes) + len(r.Facts.Customers) + len(r.Facts.Contracts)
		if len(r.Problems) == 0 || !strings.Contains(r.Problems[0].String(), c.want) || kept != c.kept {
			t.Errorf("%.60q: kept %d, want %d; problems %v, want %q", c.text, kept, c.kept, r.Problems, c.want)
		}
		if r.Records != kept+r.Aside+r.Doubled {
			t.Errorf("%.60q: %d records are not %d kept, %d aside and %d doubled", c.text, r.Records, kept, r.Aside, r.Doubled)
		}
	}
}

func TestTextsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string
	}{
		{"a.csv", "\xff\xfea\x00c\x00", "the text is UTF-16; save it as UTF-8"},
		{"a.csv", "a\x00c\x00t\x00", "UTF-16 or no text at all"},
		{"a.csv", "actor,surname\nmaria,M\xfcller\n", "a.csv:2: the byte 0xFC is no UTF-8; the text is likely Latin-1"},
		{"a.csv", "actor,role\nma\x00ria,x\n", "a.csv:2: there is a zero byte"},
		{"a.csv", "", "the text is empty"},
		{"a.csv", "employee,dept\nmaria,x\n", `a.csv:1: actor: there is no column actor; name the text's own under columns ("actor: Their Name"); it has "dept", "employee"`},
		{"a.csv", "actor,Actor\nmaria,x\n", ""},
		{"a.csv", "actor,actor\nmaria,x\n", "two columns have this name"},
		{"a.json", "[{\"actor\":\"a\"},\n{", "a.json:2: this is no JSON"},
		{"a.yaml", "actor: maria\n", "a list is expected"},
		{"a.yaml", "- actor: [\n", "a.yaml:"},
		{"a.yaml", strings.Repeat("[", 100), "nested more than 64"},
		{"a.yaml", "- actor: &x maria\n", ""},
	} {
		r, err := feeds.Read(spec(vigil.FactPerson), c.name, []byte(c.text))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, %+v; want %q", c.text, err, r, c.want)
		}
	}
	s := spec(vigil.FactPerson)
	s.Columns = map[string]string{"aktor": "x"}
	if _, err := feeds.Read(s, "a.csv", []byte("x\n1\n")); err == nil || !strings.Contains(err.Error(), "no such column of a person feed; the columns are actor") {
		t.Errorf("an unknown column in the configuration: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{"actor,from,to\nm,2026-01-01,\n", `[{"actor":"a","leaves":"2026-01-01"}]`, "- actor: a\n  hours: [1, 2]\n", "\xef\xbb\xbfactor;x\n\"a\";1\n"} {
		for _, name := range []string{"a.csv", "a.json", "a.yaml", "push"} {
			f.Add(name, text, uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, name, text string, kind uint8) {
		k := vigil.FactKinds()[int(kind)%len(vigil.FactKinds())]
		r, err := feeds.Read(spec(k), name, []byte(text))
		if err != nil {
			return
		}
		if r.Aside > r.Records || r.Facts.Kind != k {
			t.Fatal(fmt.Sprint(r.Records, r.Aside, r.Facts.Kind))
		}
	})
}
