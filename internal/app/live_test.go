package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
)

// live runs the checks and returns them by what was tried.
func live(t *testing.T, cfg *config.Config) map[string]app.LiveCheck {
	t.Helper()
	out := map[string]app.LiveCheck{}
	for _, c := range app.CheckLive(t.Context(), cfg) {
		out[c.What] = c
	}
	return out
}

// What is there is well, what is missing is named with its remedy, and nothing is made.
func TestCheckLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, strange, file := filepath.Join(dir, "a.log"), filepath.Join(dir, "strange.log"), filepath.Join(dir, "file")
	appendFile(t, log, line(day(), "x", "ann", ""))
	appendFile(t, strange, strings.Repeat("of no known form\n", 50))
	appendFile(t, file, "x")
	slack := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true,"url":"https://x.slack.com/","team":"x","user":"vigil","team_id":"T1","user_id":"U1"}`)) // the client sees a short answer
	})
	cfg := configure(t, filepath.Join(dir, "none", "data"))
	cfg.Collectors = []config.Collector{{Name: "edge", Key: config.NewSecret(collectorKey)}}
	cfg.Sources = append(cfg.Sources,
		config.Source{Name: "files", File: []string{log}},
		config.Source{Name: "named", File: []string{log}, Format: "nginx"},
		config.Source{Name: "missing", File: []string{filepath.Join(dir, "none*.log")}},
		config.Source{Name: "nowhere", File: []string{filepath.Join(dir, "no", "folder", "*.log")}},
		config.Source{Name: "strange", File: []string{strange}},
		config.Source{Name: "far", Collector: "edge"},
		config.Source{Name: "broker", Kafka: &config.Kafka{Brokers: []string{"127.0.0.1:1"}, Topics: []string{"access"}}},
	)
	cfg.Slack = config.Slack{Token: config.NewSecret(slackToken), Channel: "C1", APIURL: slack + "/"}
	cfg.Influx = config.Influx{URL: "http://127.0.0.1:1", Bucket: "b"}
	got := live(t, cfg)
	for what, want := range map[string]struct {
		ok   bool
		says string
	}{
		"data_dir":       {true, "it will be made"},
		"source bot":     {true, "waits to be sent to"},
		"source files":   {true, ""},
		"source named":   {false, "does not look like nginx"},
		"source missing": {false, "set the path right"},
		"source nowhere": {false, "no such file"},
		"source strange": {false, "none of the"},
		"source far":     {true, "waits for collector edge"},
		"source broker":  {false, "127.0.0.1:1"},
		"slack":          {true, "the channel can't be looked at"},
		"influx":         {false, "does not answer"},
	} {
		c, tried := got[what]
		if !tried || c.OK != want.ok || !strings.Contains(c.Problem+c.Note, want.says) || c.OK == (c.Problem != "") {
			t.Errorf("%s: %+v, want ok %t and %q", what, c, want.ok, want.says)
		}
		if strings.Contains(c.Problem+c.Note, slackToken) || strings.Contains(c.Problem+c.Note, collectorKey) {
			t.Errorf("%s tells a secret: %+v", what, c)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("the check made the data folder")
	}
	cfg.DataDir = filepath.Join(file, "data")
	cfg.Sources = cfg.Sources[:1]
	if c := live(t, cfg)["data_dir"]; c.OK || c.Problem == "" {
		t.Errorf("a file in the way: %+v", c)
	}
	cfg.DataDir, cfg.DiskFloor = dir, 1<<60
	if c := live(t, cfg)["data_dir"]; c.OK || !strings.Contains(c.Problem, "disk_floor") {
		t.Errorf("a full disk: %+v", c)
	}
}

// A certificate that ran out is missing; one that soon will is spoken of.
func TestCheckLiveCertificate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		until time.Duration
		ok    bool
		says  string
	}{{-time.Hour, false, "ran out"}, {time.Hour, true, "runs out"}, {90 * 24 * time.Hour, true, ""}} {
		cfg := configure(t, t.TempDir())
		cert, key := app.Certificate(t, t.TempDir(), "vigil.example.com", time.Now().Add(c.until))
		cfg.PushTLS = &config.ServerTLS{Cert: cert, Key: key}
		got := live(t, cfg)["push_tls"]
		if got.OK != c.ok || !strings.Contains(got.Problem+got.Note, c.says) || c.says == "" && got.Note != "" {
			t.Errorf("%s: %+v", c.until, got)
		}
	}
}
