package app_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/honey"
)

// What is planted while the service runs is known after the next look at the
// register, and the first read of it is a finding that names nobody.
func TestReadOfAPlantedRecordIsFound(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	w := begin(t, configure(t, dir), app.Options{})
	at := day()
	people, err := app.PlantHoney(
		app.HoneyOptions{Register: filepath.Join(dir, honey.FileName), Now: at.Add(-time.Hour)},
		honey.Config{Count: 3, Domain: "help.example.com", Like: "cust-880000", Variants: []string{"crm-vendor"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	app.Poll(t, w.App)
	app.Judged(t, w.App)
	body := line(at, "h1", "maria", `,"subjects":["cust-1"]`) + line(at.Add(time.Second), "h2", "maria", `,"subjects":["`+people[1].ID+`"]`) +
		line(at.Add(2*time.Minute), "h3", "someone", "")
	if resp, text := send(t, w.PushURL(), token, body, false); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "the finding", func() bool { return len(w.findings()) > 0 })
	f := w.findings()[0]
	if f.Rule != "honey-record" || f.Subjects != 1 {
		t.Errorf("found %+v", f)
	}
	if strings.Contains(w.dump(), people[1].ID) || strings.Contains(w.output.String(), people[1].ID) {
		t.Error("the record's identifier shows")
	}
}
