package botpress_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/botpress"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, botpress.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"r","recordedAt":"2026-03-02T09:00:00Z","userId":"u","action":"UPDATE_BOT"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, botpress.New(), formats.Options{}, input) })
}
