package app_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigil"
	"vigil/internal/api/rest"
	"vigil/internal/app"
)

// What the service answers is what the description says.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	now := time.Now().UTC()
	app.KeepNews(t, cfg.DataDir, vigil.Finding{
		ID: "f-1", Revision: 1, State: vigil.StateOpen, Actor: "actor-9", About: vigil.AboutActor, Severity: vigil.SeverityHigh, Start: now, End: now, Detected: now,
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "rows", SpanStart: now, Frame: "self", Seen: 9, Share: 1}},
	})
	w := begin(t, cfg, app.Options{})
	c := jsonschema.NewCompiler()
	description, err := jsonschema.UnmarshalJSON(bytes.NewReader(rest.Description()))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("mem:///vigil", description); err != nil {
		t.Fatal(err)
	}
	var id string
	until(t, "a case", func() bool {
		cases := app.Cases(t, w.App)
		if len(cases) > 0 {
			id = cases[0].ID
		}
		return id != ""
	})
	for path, of := range map[string]string{
		"/findings": "/findings", "/findings?min=low&limit=1": "/findings", "/findings/f-1": "/findings/{id}", "/findings/f-1/timeline": "/findings/{id}/timeline",
		"/cases": "/cases", "/cases?state=unresolved&unowned=true": "/cases", "/findings/f-1/events?limit=2": "/findings/{id}/events", "/sources": "/sources", "/sources/set-aside": "/sources/set-aside",
		"/audit?limit=3": "/audit", "/audit/standing": "/audit/standing", "/drills": "/drills", "/replays": "/replays", "/status": "/status", "/exceptions": "/exceptions", "/verdicts": "/verdicts", "/silences": "/silences", "/reports": "/reports",
		"/cases/" + id: "/cases/{id}", "/cases/" + id + "/events": "/cases/{id}/events", "/cases/" + id + "/subjects": "/cases/{id}/subjects",
		"/cases/" + id + "/notice": "/cases/{id}/notice", "/cases/" + id + "/pack": "/cases/{id}/pack", "/colleagues": "/colleagues",
		"/openapi.json": "/openapi.json",
	} {
		at := strings.NewReplacer("~", "~0", "/", "~1").Replace("/api/v1" + of)
		schema, err := c.Compile("mem:///vigil#/paths/" + at + "/get/responses/200/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := jsonschema.UnmarshalJSON(strings.NewReader(w.get("/api/v1" + path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
