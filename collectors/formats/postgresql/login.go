package postgresql

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

func (d *decoder) login(r *record, s *session, m string) {
	for _, f := range []struct {
		key  string
		have *string
	}{{"user=", &r.user}, {"database=", &r.db}, {"application_name=", &r.app}} {
		if v := after(m, f.key); v != "" {
			*f.have = v
		}
	}
	d.fill(r, s)
	if s != nil {
		d.settle(s, vigil.OutcomeUnspecified)
	}
	e := d.event(r, 0)
	if e == nil {
		return
	}
	e.Action = vigil.ActionLogin
	h := &held{ev: e, from: r.from, at: r.at}
	// What is wrong with the database or role shows in the session's next line.
	d.hold(s, h)
	if s == nil {
		return
	}
	e.Outcome = vigil.OutcomeSuccess
}

func (d *decoder) logout(r *record, s *session, m string) {
	if v := after(m, "user="); v != "" {
		r.user = v
	}
	if v := after(m, "database="); v != "" {
		r.db = v
	}
	if r.host == "" {
		r.host = after(m, "host=")
	}
	if s != nil {
		d.settle(s, vigil.OutcomeSuccess)
	}
	if r.user != "" {
		e := d.event(r, 0)
		e.Action, e.Outcome = vigil.ActionLogout, vigil.OutcomeSuccess
		d.release(&held{ev: e, from: r.from})
	}
	if s != nil {
		d.forget(s)
	}
}

// refusedLogin knows the messages of refused connections where no code is printed.
func refusedLogin(m string) bool {
	return strings.Contains(m, "authentication failed for user ") || strings.HasPrefix(m, "no pg_hba.conf entry for ") ||
		strings.HasPrefix(m, "pg_hba.conf rejects ") ||
		strings.HasPrefix(m, "role \"") && (strings.HasSuffix(m, "does not exist") || strings.HasSuffix(m, "is not permitted to log in")) ||
		strings.HasPrefix(m, "database \"") && strings.HasSuffix(m, "does not exist") ||
		strings.HasPrefix(m, "permission denied for database ")
}

func (d *decoder) refused(r *record, s *session, m string) {
	outcome := vigil.OutcomeDenied
	if strings.HasPrefix(m, "database \"") {
		outcome = vigil.OutcomeError
	}
	if s != nil {
		for _, h := range s.held {
			if h.ev.Action == vigil.ActionLogin {
				h.ev.Outcome = outcome
				d.settle(s, vigil.OutcomeUnspecified)
				return
			}
		}
		d.settle(s, vigil.OutcomeUnspecified)
	}
	if r.user == "" {
		for _, mark := range []string{`user "`, `role "`} {
			if i := strings.Index(m, mark); i >= 0 {
				r.user, _, _ = strings.Cut(m[i+len(mark):], `"`)
				break
			}
		}
	}
	if r.host == "" {
		if i := strings.Index(m, `host "`); i >= 0 {
			r.host, _, _ = strings.Cut(m[i+len(`host "`):], `"`)
		}
	}
	e := d.event(r, 0)
	if e == nil {
		return
	}
	e.Action, e.Outcome = vigil.ActionLogin, outcome
	d.release(&held{ev: e, from: formats.Line{Offset: r.from.Offset, Number: r.from.Number}})
}
