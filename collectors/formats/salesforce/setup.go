package salesforce

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// setup reads a row of the setup audit trail: of the API, of exports with other names,
// or of the page's download.
func (rd *reader) setup(r *record.Record, emit func(*vigil.Event)) error {
	at, err := rd.when(r, "CreatedDate", "sfdc_created_date", "Date")
	if err != nil {
		return err
	}
	e := event(r, at)
	e.ID = r.Get("Id")
	// Who was logged in as the user is the one who did it.
	delegate := r.Get("DelegateUser", "delegate_user", "Delegate User")
	id, name := r.Get("CreatedById", "sfdc_created_by_id"), r.Get("CreatedBy.Username", `CreatedBy\.Username`, "sfdc_created_by_username", "User")
	if delegate != "" {
		id, name = "", delegate
	}
	if id == "" && name == "" {
		// Salesforce itself: a release, an automated process.
		name, e.Actor.Kind = "salesforce", vigil.KindService
	}
	rd.actor(e, id, name)
	action, section := r.Get("Action", "action"), r.Get("Section", "section")
	e.Action = setupAction(action, section)
	e.Outcome = vigil.OutcomeSuccess
	e.Resource = section
	if e.Resource == "" {
		e.Resource = "Setup"
	}
	if !strings.Contains(action, " ") { // the download has a sentence, with names in it
		e.Shape = action
	}
	emit(e)
	return nil
}

// setupAction sorts an entry: rights given, rights taken and anything else, data taken
// out, another's place taken.
func setupAction(action, section string) vigil.Action {
	a, s := strings.ToLower(action), strings.ToLower(section)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(a, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("loginas", "suorgadminlogin", "logged in using login-as"):
		return vigil.ActionImpersonate
	case s == "data export" || has("dataexport", "data export", "weeklyexport"):
		return vigil.ActionExport
	case has("from disabled to enabled"):
		return vigil.ActionGrant
	case has("unassign", "disable", "delete", "removed", "revoke", "uninstall", "deactivat", "froze"):
		return vigil.ActionConfigure
	case has("permset", "permission set", "profile", "userrole", "createdrole", "groupmember", "createdgroup", "grant", "assign", "createduser", "created new user", "userperm", "sharing"):
		return vigil.ActionGrant
	}
	return vigil.ActionConfigure
}

// loginHistory reads a row of the login history.
func (rd *reader) loginHistory(r *record.Record, emit func(*vigil.Event)) error {
	at, err := rd.when(r, "LoginTime", "Login Time")
	if err != nil {
		return err
	}
	e := event(r, at)
	e.ID = r.Get("Id")
	e.Action, e.Resource = vigil.ActionLogin, "login"
	e.IP = formats.Address(r.Get("SourceIp", "Source IP"))
	e.UserAgent, e.Actor.App = r.Get("Browser"), r.Get("Application")
	if e.Actor.App == "N/A" {
		e.Actor.App = ""
	}
	rd.actor(e, r.Get("UserId"), r.Get("Username"))
	if s := r.Get("Status"); s == "Success" {
		e.Outcome = vigil.OutcomeSuccess
	} else if s != "" {
		e.Outcome = vigil.OutcomeDenied
	}
	emit(e)
	return nil
}
