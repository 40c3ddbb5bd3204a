package chatwoot_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/chatwoot"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, chatwoot.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":1,"auditable_id":7,"auditable_type":"Contact","associated_id":1,"associated_type":"Account","username":"a","action":"destroy","audited_changes":"{\"a\":1}","remote_address":"192.0.2.1","created_at":1772442300}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, chatwoot.New(), formats.Options{}, input) })
}
