package anthropic_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/anthropic"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, anthropic.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"anthropic_audit"}}.Check(t, anthropic.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"a","created_at":"2026-03-02T09:00:00Z","type":"claude_chat_viewed","actor":{"type":"user_actor","user_id":"u","ip_address":"192.0.2.1"}}`)
	f.Add(`{"id":"a","created_at":"2026-03-02T09:00:00Z","type":"_","actor":{"type":"unauthenticated_user_actor"}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, anthropic.New(), formats.Options{}, input) })
}
