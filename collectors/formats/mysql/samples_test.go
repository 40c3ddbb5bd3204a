//go:build !race

package mysql_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mysql"
)

// What another product takes from the same records, as far as it is compared.
type expected struct {
	Expected []struct {
		Time  time.Time `json:"@timestamp"`
		Event struct {
			Action, Outcome string
			Category        []string
		}
		User   struct{ Name string }
		Server struct{ User struct{ Name string } }
		Source struct{ IP string }
		Mysql  struct {
			Slowlog struct {
				Rows  *int64 `json:"rows_sent"`
				Bytes *int64 `json:"bytes_sent"`
			}
		}
	}
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	logs := filepath.Join("..", "..", "..", "..", "shared", "logs")
	var files []string
	for _, dir := range []string{"mysql_slow_error", "mariadb_audit", "mysql_enterprise_audit", "azure_mysql"} {
		found, _ := filepath.Glob(filepath.Join(logs, dir, "*.log"))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	my, maria := mysql.New(), mysql.NewMariaDB()
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f := my
			if strings.Contains(path, "mariadb") {
				f = maria
			}
			sample := b[:min(len(b), formats.MaxSample)]
			if sure := f.Detect(sample); sure < 0.5 {
				t.Errorf("%s is sure by %v only", f.Name(), sure)
			}
			events, errs := formatstest.Decode(t, f, formats.Options{Source: "db", File: path}, string(b))
			for _, e := range errs {
				t.Errorf("set aside: %v", e)
			}
			t.Logf("%d lines, %d events", strings.Count(string(b), "\n"), len(events))
			compare(t, path+"-expected.json", events)
		})
	}
}

func compare(t *testing.T, path string, events []*vigil.Event) {
	b, err := os.ReadFile(path)
	if err != nil {
		return
	}
	var want expected
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	// Both are in order; what is no access here is left out.
	agreed, i := 0, 0
	for _, e := range events {
		found := false
		for j := i; j < len(want.Expected) && !found; j++ {
			w := want.Expected[j]
			user := w.User.Name
			if user == "" {
				user = w.Server.User.Name
			}
			outcome := w.Event.Outcome == "" || w.Event.Outcome == "unknown" ||
				(w.Event.Outcome == "success") == (e.Outcome == vigil.OutcomeSuccess)
			rows := w.Mysql.Slowlog.Rows == nil || *w.Mysql.Slowlog.Rows == e.Rows
			if e.Time.Equal(w.Time) && e.Actor.ID == user && outcome && (w.Source.IP == "" || w.Source.IP == e.IP) && rows {
				found, i = true, j+1
			}
		}
		if !found {
			t.Errorf("the other product has no such record: %s %s %s %s %s %d", e.Time.Format(time.RFC3339), e.Actor.ID, e.Action, e.Outcome, e.Shape, e.Rows)
			continue
		}
		agreed++
	}
	t.Logf("%d of %d events agree with what the other product takes from the file", agreed, len(events))
}
