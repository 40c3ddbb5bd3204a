package litellm_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/litellm"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, litellm.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"litellm"}}.Check(t, litellm.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"request_id":"r","call_type":"a","api_key":"k","startTime":"2026-03-02 09:00:00","spend":0,"metadata":"{\"vector_store_request_metadata\":[{\"vector_store_id\":\"v\"}]}"}`)
	f.Add(`{"id":"a","updated_at":"2026-03-02T09:00:00Z","changed_by":"x","action":"created","table_name":"LiteLLM_UserTable","object_id":"1"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, litellm.New(), formats.Options{}, input) })
}
