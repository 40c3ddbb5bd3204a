package intercom_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/intercom"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, intercom.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"a","performed_by":{"type":"admin","id":"1","ip":"192.0.2.10"},"metadata":{"count":3},"created_at":1772442000,"activity_type":"bulk_export"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, intercom.New(), formats.Options{}, input) })
}
