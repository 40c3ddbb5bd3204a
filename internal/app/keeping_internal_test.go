package app

import (
	"errors"
	"strings"
	"testing"

	"vigil/internal/api"
)

func TestASampleIsReadAndNothingOfItKept(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	line := `{"time":"2026-11-02T09:00:00Z","actor":"canary-agent","action":"read","store":"crm","subjects":["canary-customer"],"outcome":"success"}`
	got, err := a.sources.ReadSample(ctx, "", []byte(strings.Repeat(line+"\n", 30)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Format == "" || len(got.Events) != sampleEvents || got.More != 10 || len(got.Events[0].Fields) < 5 {
		t.Errorf("%+v", got)
	}
	for name, text := range map[string]string{"nothing": "", "too long": strings.Repeat("x", api.MaxSample+1), "no log": "\x00\xff"} {
		if _, err := a.sources.ReadSample(ctx, "", []byte(text)); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.sources.ReadSample(ctx, "no-such-format", []byte(line)); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a format that there is not: %v", err)
	}
	records, err := a.ledger.AuditLog(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, r := range records {
		if strings.Contains(r.Who+r.What+r.Object, "canary") {
			t.Errorf("the audit log has the sample: %+v", r)
		}
		if r.What == "a sample of a log read" && r.Who == "actor-ann" {
			read++
		}
	}
	if read == 0 {
		t.Error("it is not in the audit log that a sample was read")
	}
}

func TestSightTellsNothingOfNothing(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	s, err := a.sources.Sight(ctx)
	if err != nil || len(s.Rows) != 0 || s.Looked != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
}
