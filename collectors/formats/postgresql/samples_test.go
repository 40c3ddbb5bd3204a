//go:build !race

package postgresql_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
)

// foreign are files beside the samples that are not this format's, with the reason.
var foreign = map[string]string{
	"crowdsec-supavisor-logs-supavisor-logs.log":  "a pooler's log: format supavisor",
	"ibm-cockroachdb-tests-a.log":                 "another database: format cockroachdb",
	"ibm-pubsub-postgresql-file-a.log":            "one PgAuditEntry alone, which is for the format gcp; it is read all the same",
	"ibm-pubsub-postgresql-file-logs_example.log": "a dump in Ruby's notation",
	"ibm-pubsub-mysql-readme-01.txt":              "MySQL's",
	"ibm-pubsub-mysql-readme-02.txt":              "MySQL's",
	"ibm-pubsub-mysql-readme-03.txt":              "MySQL's",
	"ibm-pubsub-spanner-tests-a.log":              "Spanner's",
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..", "shared", "logs")
	var files []string
	for _, dir := range []string{"postgresql", "pgaudit", "gcp_cloudsql"} {
		found, _ := filepath.Glob(filepath.Join(root, dir, "*"))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	f := postgresql.New()
	events, bad, read, same, differ := 0, 0, 0, 0, 0
	for _, path := range files {
		base := filepath.Base(path)
		if strings.HasSuffix(base, "-expected.json") || foreign[base] != "" {
			continue
		}
		input, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sample := input[:min(len(input), formats.MaxSample)]
		sure := f.Detect(sample)
		if sure < 0.5 {
			t.Errorf("%s: detected with %.2f only", base, sure)
		}
		got, aside := 0, 0
		for _, o := range decode(t, f, formats.Options{Source: "db", File: base, Sample: sample}, input) {
			if o.Event != nil {
				got++
				continue
			}
			aside++
			t.Logf("    line %d: %s", o.Line, o.SetAside)
		}
		read++
		events += got
		bad += aside
		t.Logf("%-75s sure %.2f events %5d set aside %4d", base, sure, got, aside)
		if want, err := os.ReadFile(path + "-expected.json"); err == nil {
			a, b := agree(t, f, base, input, want)
			same, differ = same+a, differ+b
		}
	}
	t.Logf("%d files, %d events, %d set aside; of the records with another product's reading %d agree and %d differ", read, events, bad, same, differ)
	if bad*200 > events {
		t.Errorf("%d set aside beside %d events", bad, events)
	}
	if differ*50 > same+differ {
		t.Errorf("%d of %d records differ from another product's reading", differ, same+differ)
	}
}

// agree compares the events with another product's reading, record by record, in who, when
// and from where.
func agree(t *testing.T, f formats.Format, base string, input, want []byte) (same, differ int) {
	type record struct {
		Time time.Time `json:"@timestamp"`
		User struct{ Name string }
		Of   struct{ Original string } `json:"event"`
		PG   struct {
			Log struct {
				Client   string `json:"client_addr"`
				Database string
			}
		} `json:"postgresql"`
	}
	var doc struct{ Expected []record }
	if json.Unmarshal(want, &doc) != nil {
		var flat []map[string]any // whose keys are dotted
		if err := json.Unmarshal(want, &flat); err != nil {
			t.Fatal(err)
		}
		for i, x := range flat {
			s := func(key string) string { v, _ := x[key].(string); return v }
			var r record
			r.Time, _ = time.Parse(time.RFC3339Nano, s("@timestamp"))
			r.User.Name, r.PG.Log.Database = s("user.name"), s("postgresql.log.database")
			from, _ := x["log.offset"].(float64)
			to := from + float64(bytes.IndexByte(input[int(from):], '\n')) // of the last one
			if i+1 < len(flat) {
				to, _ = flat[i+1]["log.offset"].(float64)
			}
			r.Of.Original = string(input[int(from):int(to)])
			doc.Expected = append(doc.Expected, r)
		}
	}
	for _, x := range doc.Expected {
		for _, o := range decode(t, f, formats.Options{Source: "db", File: base}, []byte(x.Of.Original)) {
			switch e := o.Event; {
			case e == nil:
			case e.Actor.ID != x.User.Name && x.User.Name != "" || !e.Time.Truncate(time.Millisecond).Equal(x.Time) ||
				x.PG.Log.Client != "" && strings.Trim(e.IP, "[]") != x.PG.Log.Client || e.Store != x.PG.Log.Database && x.PG.Log.Database != "":
				differ++
				t.Logf("    differs: %s %s %s %s, expected %+v", e.Actor.ID, e.Time, e.IP, e.Store, x)
			default:
				same++
			}
		}
	}
	return same, differ
}
