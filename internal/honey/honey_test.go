package honey_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/honey"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func make20(t *testing.T, cfg honey.Config) []honey.Person {
	t.Helper()
	if cfg.Count == 0 {
		cfg.Count = 20
	}
	cfg.Now, cfg.Domain = now, "help.example.com"
	people, err := honey.Make(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func TestPeopleAreBelievable(t *testing.T) {
	t.Parallel()
	mail := regexp.MustCompile(`^[a-z]+\.?[a-z]*\d*@help\.example\.com$`)
	phone := regexp.MustCompile(`^\+(1 \d{3} 555 01\d\d|44 7700 900\d{3}|49 30 23125 \d{3}|33 6 39 98 \d\d \d\d)$`)
	seen := map[string]bool{}
	for _, p := range make20(t, honey.Config{Count: 3000, Seed: 7}) {
		for what, text := range map[string]string{"id": p.ID, "name": p.Name(), "email": p.Email} {
			if seen[what+text] {
				t.Fatalf("%s %q comes twice", what, text)
			}
			seen[what+text] = true
		}
		if !mail.MatchString(p.Email) || !phone.MatchString(p.Phone) {
			t.Fatalf("mail %q, phone %q", p.Email, p.Phone)
		}
		if !p.Created.Before(now) || now.Sub(p.Created) > 722*24*time.Hour {
			t.Fatalf("created %v", p.Created)
		}
		if strings.ContainsAny(p.Street+p.Postcode+p.City, "#@%") || p.Street == "" || p.Postcode == "" {
			t.Fatalf("address %q %q %q", p.Street, p.Postcode, p.City)
		}
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	a, b := make20(t, honey.Config{Seed: 1}), make20(t, honey.Config{Seed: 1})
	if a[7] != b[7] {
		t.Errorf("one seed made %v and %v", a[7], b[7])
	}
	if x, y := make20(t, honey.Config{}), make20(t, honey.Config{}); x[0].ID == y[0].ID {
		t.Errorf("no seed made %s twice", x[0].ID)
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, c := range []struct{ like, want string }{
		{"", uuid.String()},
		{"cust-104233", `^cust-104\d{3}$`},
		{"104233", `^104\d{3}$`},
		{"C00098", `^C00\d{3}$`},
		{"a7-b", `^a\d+-b$`},
	} {
		for _, p := range make20(t, honey.Config{Like: c.like}) {
			if !regexp.MustCompile(c.want).MatchString(p.ID) {
				t.Errorf("like %q made %q", c.like, p.ID)
			}
		}
	}
}

func TestVariantsGetPeopleOfTheirOwn(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, p := range make20(t, honey.Config{Count: 3, Variants: []string{"crm", "analytics"}, Like: "c-1"}) {
		count[p.Variant]++
	}
	if count["crm"] != 3 || count["analytics"] != 3 || len(count) != 2 {
		t.Errorf("made %v", count)
	}
}

func TestWrongConfig(t *testing.T) {
	t.Parallel()
	good := honey.Config{Count: 1, Domain: "a.example"}
	for name, change := range map[string]func(*honey.Config){
		"none":      func(c *honey.Config) { c.Count = 0 },
		"too many":  func(c *honey.Config) { c.Count = honey.MaxCount + 1 },
		"domain":    func(c *honey.Config) { c.Domain = "x@y" },
		"no domain": func(c *honey.Config) { c.Domain = "" },
		"like":      func(c *honey.Config) { c.Like = "customer" },
		"long like": func(c *honey.Config) { c.Like = strings.Repeat("9", 40) },
		"twice":     func(c *honey.Config) { c.Variants = []string{"a", "a"} },
	} {
		c := good
		change(&c)
		if _, err := honey.Make(c); !errors.Is(err, honey.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	people := []honey.Person{{ID: "c-1", Given: "Anne", Surname: "O'Brien", Email: "a@x.example", Created: now}}
	columns, err := honey.Columns([]string{"id", "name=full_name"}, []string{`note=back\slash`})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		layout honey.Layout
		want   string
	}{
		{honey.Layout{Format: honey.SQL, Table: "public.contacts"},
			`INSERT INTO "public"."contacts" ("id", "full_name", "note") VALUES ('c-1', 'Anne O''Brien', 'back\slash');`},
		{honey.Layout{Format: honey.SQL, Table: "contacts", MySQL: true},
			"INSERT INTO `contacts` (`id`, `full_name`, `note`) VALUES ('c-1', 'Anne O''Brien', 'back\\\\slash');"},
		{honey.Layout{Format: honey.JSON}, `{"full_name":"Anne O'Brien","id":"c-1","note":"back\\slash"}`},
		{honey.Layout{Format: honey.CSV}, "id,full_name,note\nc-1,Anne O'Brien,back\\slash"},
	} {
		c.layout.Columns = columns
		var b strings.Builder
		if err := honey.Write(&b, people, c.layout); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: got\n%swant\n%s", c.layout.Format, b.String(), c.want)
		}
	}
	for _, bad := range [][2][]string{{{"nick"}, nil}, {{"id", "name=id"}, nil}, {nil, {"x"}}, {{"id=a\"b"}, nil}} {
		if _, err := honey.Columns(bad[0], bad[1]); !errors.Is(err, honey.ErrConfig) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := honey.Write(&strings.Builder{}, people, honey.Layout{Format: honey.SQL, Table: "a; drop table b", Columns: columns}); !errors.Is(err, honey.ErrConfig) {
		t.Errorf("a hostile table: %v", err)
	}
}

func TestWrittenTablesReadBack(t *testing.T) {
	t.Parallel()
	people := make20(t, honey.Config{})
	columns, err := honey.Columns(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := honey.Write(&b, people, honey.Layout{Format: honey.CSV, Columns: columns}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 21 || rows[5][0] != people[4].ID {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	b.Reset()
	if err := honey.Write(&b, people, honey.Layout{Format: honey.JSON, Columns: columns}); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(b.String()))
	n := 0
	for ; decoder.More(); n++ {
		var record map[string]string
		if err := decoder.Decode(&record); err != nil || record["name"] != people[n].Name() {
			t.Fatalf("record %d: %v, %v", n, record, err)
		}
	}
	if n != 20 {
		t.Errorf("%d records", n)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), honey.FileName)
	r, err := honey.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	old, young := vigil.Honey{Subject: "c-1", Variant: "crm"}, vigil.Honey{Subject: "c-2"}
	old.From, young.From = now.AddDate(0, -6, 0), now.AddDate(0, 0, -1)
	for _, h := range []vigil.Honey{old, young} {
		if err := r.Add(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add(young); err == nil {
		t.Error("one record was registered twice")
	}
	variants, retired := r.Retire(now.AddDate(0, -3, 0), now.AddDate(0, 1, 0))
	if len(variants) != 1 || retired["crm"] != 1 {
		t.Errorf("retired %v", retired)
	}
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	if again, err := honey.Open(path); err != nil || len(again.Records) != 2 || again.Records[0] != r.Records[0] {
		t.Errorf("read back %v, %v", again, err)
	}
	retiree := r.Records[0].Period
	if !retiree.Holds(now) || retiree.Holds(now.AddDate(0, 2, 0)) || !r.Records[1].To.IsZero() {
		t.Error("a retired record counts for as long as its grace, and no longer")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the register's mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("{\"subject\":\"a\"}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := honey.Open(path); err == nil || !strings.Contains(err.Error(), honey.FileName+":2:") {
		t.Errorf("a broken line: %v", err)
	}
}
