package app_test

import (
	"archive/zip"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/app"
)

// curl is a line of docs/api.md that people type.
var curl = regexp.MustCompile(`(?m)^    curl .*$`)

// What docs/api.md has people type works, with a token as the console makes it.
func TestDocumentedRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("NOT TRIED: the examples of docs/api.md want curl, which is not installed here")
	}
	docs, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := curl.FindAllString(string(docs), -1)
	if len(lines) < 8 {
		t.Fatalf("%d examples", len(lines))
	}
	cfg := configure(t, t.TempDir())
	now := time.Now().UTC()
	app.KeepNews(t, cfg.DataDir, vigil.Finding{
		ID: "f-0123456789abcdef", Revision: 1, State: vigil.StateOpen, Actor: "actor-9", About: vigil.AboutActor, Severity: vigil.SeverityHigh,
		Start: now, End: now, Detected: now,
	})
	w := guarded(t, cfg)
	v := visit(t, w)
	if code, body := v.setUp(w.SetUpLink(), "ann", goodPassword); code != http.StatusSeeOther {
		t.Fatalf("set up: %d %s", code, body)
	}
	ask := url.Values{"form": {v.form("/account")}, "name": {"docs"}, "days": {"1"}}
	for _, r := range access.Roles() {
		ask.Add("role", string(r))
	}
	code, body, _ := v.ask(http.MethodPost, "/account/tokens", ask)
	token := regexp.MustCompile(`vgl_[0-9A-Za-z]+`).FindString(body)
	if code != http.StatusOK || token == "" {
		t.Fatalf("make a token: %d %s", code, body)
	}
	until(t, "the case", func() bool { return len(app.Cases(t, w.App)) > 0 })
	dir := t.TempDir()
	for _, line := range lines {
		c := app.Cases(t, w.App)[0]
		line = strings.NewReplacer("https://vigil.example.com", w.URL(), "c-0123456789abcdef", c.ID, "REVISION", strconv.Itoa(c.Revision)).Replace(line)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line+` --silent --show-error --fail-with-body`)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "VIGIL_TOKEN="+token, "no_proxy=*")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	z, err := zip.OpenReader(filepath.Join(dir, "evidence.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil || len(z.File) < 8 {
		t.Errorf("%d files in the pack, %v", len(z.File), err)
	}
	if trail := strings.Join(app.AuditTrail(t, w.App), "\n"); !strings.Contains(trail, "evidence pack made") || !strings.Contains(trail, "asked who read a customer") || strings.Contains(trail, "104233") {
		t.Errorf("on record is:\n%s", trail)
	}
}
