package openai_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/openai"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, openai.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"openai_audit"}}.Check(t, openai.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"a","type":"login.failed","effective_at":1772442000,"object":"organization.audit_log","actor":{"type":"session","session":{"user":{"email":"x"},"ip_address":"192.0.2.1"}}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, openai.New(), formats.Options{}, input) })
}
