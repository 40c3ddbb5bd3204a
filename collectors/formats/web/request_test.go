package web_test

import (
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/web"
)

// The rest of a path, which ** stands for, may be nothing.
func TestAPathThatEndsBeforeItsRest(t *testing.T) {
	t.Parallel()
	p, err := web.New(formats.Options{Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "/api/{subject}/**", Resource: "customers"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"/api/cust-4", "/api/cust-4/", "/api/cust-4/chats", "/api/cust-4/chats/1"} {
		var f web.Fields
		f.Set(web.FieldMethod, "GET")
		f.Set(web.FieldURI, uri)
		e := vigil.NewEvent()
		p.Request(e, &f)
		if e.Resource != "customers" || len(e.Subjects) != 1 || e.Subjects[0] != "cust-4" {
			t.Errorf("%s: %s %v", uri, e.Resource, e.Subjects)
		}
	}
}
