package zendesk_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/zendesk"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, zendesk.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"zendesk"}}.Check(t, zendesk.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"a","timestamp":"2026-03-02T09:00:00Z","user_id":1,"ip_address":"192.0.2.1","method":"GET","url":"/api/v2/users/show_many?ids=1,2"}`)
	f.Add(`{"id":1,"actor_id":1,"source_type":"ticket","source_label":"x","action":"destroy","created_at":"2026-03-02T09:00:00Z"}`)
	f.Add(`{"timestamp":"2026-03-02T09:00:00Z","user_id":1,"ip_address":"x","graphql":{"query":"mutation a { b }","variables":{"userId":"3"}}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, zendesk.New(), formats.Options{}, input) })
}
