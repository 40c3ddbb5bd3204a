package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/gate"
)

// A pack that is made by the running service verifies, and its findings come out the same
// when the log is judged again; one of which a byte was changed does not.
func TestEvidencePackIsComputedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := smallWorld(t, dir)
	door := gate.Open{By: "actor-ann", Roles: access.Roles(), Way: api.WayOpen, Form: "form-of-ann"}
	w := begin(t, cfg, app.Options{Quiet: true, Version: "v1.2.3", Door: door})
	until(t, "all events", func() bool { return w.status().accepted("files") == 28*8+2+1 })
	app.Tick(t, w.App, time.Date(2024, 11, 2, 0, 0, 0, 0, time.UTC))
	app.Judged(t, w.App)
	var cases struct{ Cases []vigil.Case }
	until(t, "cases", func() bool {
		resp, err := testClient.Get(w.URL() + "/api/v1/cases")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(&cases) == nil && len(cases.Cases) > 2
	})
	path := filepath.Join(dir, "pack.zip")
	seen := 0
	for i, c := range cases.Cases {
		if i == 3 {
			break
		}
		page := w.get("/cases/" + c.ID + "/pack")
		if !strings.Contains(page, "Make it and download") || !strings.Contains(page, c.ID) {
			t.Fatalf("the page of the pack: %.300s", page)
		}
		resp, err := testClient.PostForm(w.URL()+"/cases/"+c.ID+"/pack", url.Values{"form": {door.Form}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Content-Disposition"), c.ID) {
			t.Fatalf("%d, %v: %.200s", resp.StatusCode, err, data)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		line, _, err := app.ReportKey(cfg)
		if err != nil {
			t.Fatal(err)
		}
		key, err := app.ParseReportKey(line)
		if err != nil {
			t.Fatal(err)
		}
		r, err := app.VerifyPack(t.Context(), path, key, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Problems) > 0 || r.Manifest.Of.Program != "v1.2.3" || r.Manifest.Counts.Total.Events == 0 && c.About != vigil.AboutSource {
			t.Errorf("%s: %q, %+v", c.ID, r.Problems, r.Manifest.Counts.Total)
		}
		for _, k := range r.Checks {
			if k.What == "computed again" && strings.Contains(k.Says, "bit for bit") {
				seen++
			}
		}
		if strings.Contains(string(data), "canary") {
			t.Error("the pack names somebody")
		}
		other := *cfg
		other.Budget = 77
		if r, err = app.VerifyPack(t.Context(), path, key, &other); err != nil || !strings.Contains(r.Checks[len(r.Checks)-1].Says, "other settings") {
			t.Errorf("with another budget: %+v, %v", r.Checks, err)
		}
		data[len(data)/2] ^= 4
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := app.VerifyPack(t.Context(), path, key, cfg); err != nil || len(r.Problems) == 0 {
			t.Errorf("a changed byte: %+v, %v", r, err)
		}
	}
	if seen != 3 {
		t.Errorf("%d of 3 cases came out the same", seen)
	}
}
