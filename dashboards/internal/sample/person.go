package sample

import (
	"vigil/internal/access"
	"vigil/internal/api"
)

// Person is somebody with every role, to whose forms everything belongs.
func Person() api.Person {
	return api.Person{
		Name: "ann@example.com", By: "actor-ann", Logins: []string{"ann"}, Roles: access.Roles(), Way: api.WayOpen, Signed: Now(), Form: "form-of-ann",
	}
}
