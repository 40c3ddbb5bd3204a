package openwebui_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/openwebui"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, openwebui.New(), "testdata")
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":"w","timestamp":1772442001,"user":{"id":"u"},"audit_level":"REQUEST","verb":"GET","request_uri":"https://x/api/v1/chats/3c90c3cc-0d44-4b50-8888-8dd25736052a?limit=3","response_status_code":200,"source_ip":"192.0.2.10","request_object":"{\"chat_id\":\"x\"}"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, openwebui.New(), formats.Options{}, input) })
}
