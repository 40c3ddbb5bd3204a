package formats_test

import (
	"testing"

	"vigil"
	"vigil/collectors/formats"
)

func TestVerb(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]vigil.Action{
		"FileDownloaded": vigil.ActionExport, "user.lifecycle.create": vigil.ActionWrite, "Add member": vigil.ActionWrite, "GET_OBJECT": vigil.ActionRead,
		"GetBlob": vigil.ActionRead, "Remove-MailboxPermission": vigil.ActionDelete, "ListContainers": vigil.ActionSearch, "HTTPGet": vigil.ActionRead,
		"": vigil.ActionOther, "settings": vigil.ActionOther, "getaway": vigil.ActionOther, "a.b.c": vigil.ActionOther, "Sent": vigil.ActionWrite,
		"microsoft.storage/storageAccounts/listKeys/action": vigil.ActionSearch, "\xff\xfeDelete\x00": vigil.ActionDelete,
	} {
		if got := formats.Verb(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
