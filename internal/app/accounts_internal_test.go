package app

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
)

// account sets up an account that the configuration does not know, and returns as whom it
// appears.
func (o *office) account(name string, roles ...access.Role) (by string) {
	o.t.Helper()
	door := o.identity.Door(identity.DoorConfig{Base: "http://localhost"})
	link, _, err := door.Invite(api.WithPerson(o.t.Context(), o.identity.Local("root")), name, roles)
	if err != nil {
		o.t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, link, nil)
	if err := door.Accept(httptest.NewRecorder(), r, u.Query().Get("token"), name, "gravel lantern seven"); err != nil {
		o.t.Fatal(err)
	}
	return o.desk.desk.pseudonyms.Actor("", name)
}

// Who has an account and is not in the configuration works on cases as the others do: they
// are a colleague, are handed cases, and are kept off those about themselves.
func TestAccountsAreColleagues(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	dora, eve := o.account("dora@example.com", access.RoleResponder), o.account("eve", access.RoleViewer)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh), bulk("f-2", o.desk.desk.pseudonyms.Actor("", "dora"), vigil.SeverityHigh))
	colleague := func() bool {
		t.Helper()
		all, err := o.desk.Colleagues(o.as("ann"))
		if err != nil || slices.ContainsFunc(all, func(c api.Colleague) bool { return c.By == eve }) {
			t.Errorf("colleagues %+v, %v", all, err)
		}
		return slices.ContainsFunc(all, func(c api.Colleague) bool {
			return c.By == dora && slices.Equal(c.Roles, []access.Role{access.RoleResponder})
		})
	}
	keys := 0
	give := func(finding, to string) error {
		keys++
		_, err := o.desk.Work(o.as("ann"), api.CaseAct{Case: o.theCase(finding).ID, Deed: access.DeedAssign, To: to, Key: "give-" + finding + to + string(rune('a'+keys))})
		return err
	}
	if !colleague() {
		t.Error("dora is no colleague")
	}
	if err := give("f-1", dora); err != nil || o.theCase("f-1").Owner != dora {
		t.Errorf("owner %s, %v", o.theCase("f-1").Owner, err)
	}
	if page, err := o.reader().Queue(o.as("ann"), api.QueueFilter{Owner: dora}); err != nil || len(page.Items) != 1 {
		t.Errorf("dora's cases: %+v, %v", page.Items, err)
	}
	if err := give("f-1", eve); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "role") {
		t.Errorf("to a viewer: %v", err)
	}
	if err := give("f-2", dora); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "about them") {
		t.Errorf("to whom it is about: %v", err)
	}
	door := o.identity.Door(identity.DoorConfig{})
	if err := door.Disable(api.WithPerson(t.Context(), o.identity.Local("root")), dora, true, api.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if colleague() {
		t.Error("who is disabled is still a colleague")
	}
	if err := give("f-1", dora); !errors.Is(err, api.ErrRefused) {
		t.Errorf("to who is disabled: %v", err)
	}
}

// Who is disabled presses no button any more either.
func TestDisabledDoNothingByMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	press := alerts.Act{Deed: alerts.DeedAcknowledge, Case: o.theCase("f-1").ID}
	door := o.identity.Door(identity.DoorConfig{})
	root := api.WithPerson(t.Context(), o.identity.Local("root"))
	bob := o.desk.people().named("bob").by
	if err := door.Disable(root, bob, true, api.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := o.act("U0BOB", press); !errors.Is(err, alerts.ErrStranger) {
		t.Errorf("disabled: %v", err)
	}
	if err := door.Disable(root, bob, false, api.AnyVersion); err != nil {
		t.Fatal(err)
	}
	o.must("U0BOB", press)
}
