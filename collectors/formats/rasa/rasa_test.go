package rasa_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/rasa"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, rasa.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"rasa"}}.Check(t, rasa.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"sender_id":"c","slots":{},"events":[{"event":"action","timestamp":1772442001.0,"name":"action_get_x","metadata":{"assistant_id":"b"}}]}`)
	f.Add(`{"sender_id":"c","type_name":"action","timestamp":1,"action_name":"action_x","data":"{\"event\":\"action\",\"timestamp\":1772442001}"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, rasa.New(), formats.Options{}, input) })
}
