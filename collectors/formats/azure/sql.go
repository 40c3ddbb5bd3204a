package azure

import (
	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

// sql reads Azure SQL's auditing, which tells statements with their rows.
func (a entry) sql(statements *statement.Reader, emit func(*vigil.Event)) error {
	// The audit's action ids are four letters, their names words.
	action := first(a.prop("action_name"), a.prop("action_id"))
	e, err := a.event()
	if err != nil {
		return err
	}
	e.ID = a.prop("event_id")
	e.IP = formats.Address(a.prop("client_ip"))
	e.Actor.ID = a.prop("server_principal_name", "database_principal_name", "session_server_principal_name")
	e.Actor.App, e.Session = a.prop("application_name"), a.prop("session_id", "connection_id")
	if err := nobody(e); err != nil {
		return err
	}
	e.Outcome = vigil.OutcomeSuccess
	failed := a.prop("succeeded") == "false"
	if failed {
		e.Outcome = vigil.OutcomeError
	}
	if name := a.prop("database_name"); name != "" && a.r.Event().Store == "" {
		e.Store = name
	}
	switch action {
	case "DATABASE AUTHENTICATION SUCCEEDED", "DATABASE AUTHENTICATION FAILED", "LGIS", "LGIF", "DBAS", "DBAF":
		e.Action, e.Resource, e.Shape = vigil.ActionLogin, "login", "login"
		if failed || action == "DATABASE AUTHENTICATION FAILED" || action == "LGIF" || action == "DBAF" {
			e.Outcome = vigil.OutcomeDenied
		}
		emit(e)
		return nil
	case "DATABASE LOGOUT", "LGO ", "LGO", "DAGL":
		e.Action, e.Resource, e.Shape = vigil.ActionLogout, "login", "logout"
		emit(e)
		return nil
	case "AUDIT SESSION CHANGED", "AUSC":
		e.Action, e.Resource, e.Shape = vigil.ActionConfigure, "audit log", "audit session changed"
		emit(e)
		return nil
	}
	rows := formats.Count(a.prop("response_rows"))
	if rows <= 0 {
		if n := formats.Count(a.prop("affected_rows")); n > 0 {
			rows = n
		}
	}
	text := a.p.Get("statement").String()
	done := false
	for i, res := range statements.Read(text, nil) {
		if res.Action == "" || res.Ignored {
			done = true
			continue
		}
		one := *e
		one.Action, one.Resource, one.ResourceClass, one.Shape = res.Action, res.Resource, res.Class, res.Shape
		one.Subjects, one.SubjectCount, one.Limit, one.Fields, one.Unbounded = res.Subjects, res.SubjectCount, res.Limit, res.Fields, res.Unbounded
		if len(res.Conversations) == 1 {
			one.Conversation = res.Conversations[0]
		}
		if one.Resource == "" {
			one.Resource = a.prop("object_name")
		}
		if i == 0 {
			one.Rows = rows
		}
		emit(&one)
		done = true
	}
	if !done {
		e.Action, e.Resource, e.Shape = formats.Verb(action), a.prop("object_name", "class_type_description"), action
		e.Rows = rows
		emit(e)
	}
	return nil
}
