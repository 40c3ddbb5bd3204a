package access_test

import (
	"testing"

	"vigil/internal/access"
)

func TestMay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		roles []access.Role
		deed  access.Deed
		want  bool
	}{
		{nil, access.DeedStatus, false},
		{[]access.Role{access.RoleViewer}, access.DeedStatus, true},
		{[]access.Role{access.RoleViewer}, access.DeedAcknowledge, false},
		{[]access.Role{access.RoleResponder}, access.DeedVerdict, true},
		{[]access.Role{access.RoleResponder}, access.DeedExpect, false},
		{[]access.Role{access.RoleAnalyst}, access.DeedExpect, true},
		{[]access.Role{access.RoleAdmin}, access.DeedReaders, false},
		{[]access.Role{access.RolePrivacy}, access.DeedReaders, true},
		{[]access.Role{access.RoleViewer, access.RoleAnalyst}, access.DeedSilence, true},
		{[]access.Role{"root"}, access.DeedStatus, false},
		{access.Roles(), "conjure", false},
	} {
		if got := access.May(c.roles, c.deed); got != c.want {
			t.Errorf("May(%v, %s) = %v, want %v", c.roles, c.deed, got, c.want)
		}
	}
	for _, d := range access.Deeds() {
		if !access.May(access.Roles(), d) {
			t.Errorf("nobody may %s", d)
		}
		if access.May([]access.Role{access.RoleViewer}, d) && d != access.DeedLook && d != access.DeedStatus && d != access.DeedTop {
			t.Errorf("a viewer may %s", d)
		}
	}
}
