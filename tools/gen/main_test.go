package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunWritesEachFormat(t *testing.T) {
	t.Parallel()
	for format, mark := range map[string]string{"native": `"actor":"`, "pgaudit": "AUDIT: SESSION,", "nginx": `"remote_user":"`, "nginx-combined": " HTTP/2.0\" 200 "} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, key := filepath.Join(dir, "log"), filepath.Join(dir, "key")
			var out, messages bytes.Buffer
			err := run([]string{"-events", "400", "-actors", "40", "-days", "14", "-happenings", "all,-vpn", "-format", format,
				"-breach", "mass-export", "-poison", "open-finding", "-start", "2026-09-21", "-crowd", "50", "-log", key, "-o", path}, &out, &messages)
			if err != nil || out.Len()+messages.Len() > 0 {
				t.Fatalf("%v, %q, %q", err, out.String(), messages.String())
			}
			log, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Count(log, []byte(mark)) < 300 {
				t.Errorf("the log begins %.300q", log)
			}
			lines, err := os.ReadFile(key)
			if err != nil {
				t.Fatal(err)
			}
			what := map[string]bool{}
			for line := range bytes.Lines(lines) {
				var one truth
				if err := json.Unmarshal(line, &one); err != nil {
					t.Fatal(err)
				}
				what[one.What] = true
			}
			if !what["month-end"] || what["vpn"] || !what["breach mass-export"] || !what["poison open-finding"] {
				t.Errorf("the key holds %v", what)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-happenings carnival", "-format xml", "-breach theft", "-poison arsenic", "-actors 3", "-start today", "more"} {
		var out, messages bytes.Buffer
		if err := run(strings.Fields("-events 10 "+args), &out, &messages); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
