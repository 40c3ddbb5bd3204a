package librechat_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/librechat"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, librechat.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"level":"info","message":"[Login] [Login successful] [Username: a] [Request-IP: 192.0.2.10]","timestamp":"2026-03-02T09:00:00.123Z"}`)
	f.Add(`2026-03-02 09:00:01 warn: [Login] [Login failed] [Username: b] [Request-IP: 198.51.100.9]`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, librechat.New(), formats.Options{}, input) })
}
