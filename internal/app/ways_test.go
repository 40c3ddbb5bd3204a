package app_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
)

// isOpen reports whether this process has the file open.
func isOpen(t *testing.T, path string) bool {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("what is open can't be seen here")
	}
	for _, fd := range open {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && to == path {
			return true
		}
	}
	return false
}

// A way to tell that is no longer configured keeps nothing open: a SIEM's file among them.
func TestReloadClosesWaysToTell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "findings.jsonl")
	cfg := configure(t, filepath.Join(dir, "data"))
	with := *cfg
	with.Alerts.Channels = []config.Channel{{Name: "siem", OCSFFile: &config.OCSFFile{Path: path}}}
	w := begin(t, &with, app.Options{})
	for end := time.Now().Add(10 * time.Second); !isOpen(t, path); {
		if time.Now().After(end) {
			t.Fatal("the file is not opened when vigil starts")
		}
		<-time.After(5 * time.Millisecond)
	}
	reload(t, w, cfg)
	if isOpen(t, path) {
		t.Error("the file is open still")
	}
}
