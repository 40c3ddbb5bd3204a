package servicenow_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/servicenow"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, servicenow.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"servicenow"}}.Check(t, servicenow.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"url":"/api/now/table/a/b?CSV&sysparm_limit=3","response_time":"1","sys_created_by":"ana","sys_created_on":"2026-03-02 09:00:08"}`)
	f.Add(`{"documentkey":"x","fieldname":"y","tablename":"z","user":"u","sys_created_on":"2026-03-02 09:00:08"}`)
	f.Add(`{"name":"login","parm1":"a","parm2":"192.0.2.1","sys_created_on":{"value":"2026-03-02 09:00:08"}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, servicenow.New(), formats.Options{}, input) })
}
