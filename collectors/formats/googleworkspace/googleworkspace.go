// Package googleworkspace reads Google Workspace's audit: the activities of the Reports
// API, and the rows of the export to BigQuery.
//
// One activity holds one or more events, and each of them is one event here. What was
// done is told by the application and the event's name, by the tables in names.go, else
// by the verb in the name. Titles of documents, subjects of mails and searched words
// are not kept.
package googleworkspace

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "google-workspace"

// maxEvents bounds the events of one activity.
const maxEvents = 1000

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Google Workspace audit (Drive, Gmail, admin, sign-ins, tokens)", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Drive tells views and downloads of documents; some applications come hours late.",
		},
		JSON: sure,
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func sure(v gjson.Result) float64 {
	named := v.Get("events").Exists() || v.Get("event.name").Exists() || v.Get("name").Exists()
	switch {
	case v.Get("kind").Str == "admin#reports#activity" && named:
		return 0.95
	case v.Get("time_usec").Exists() && v.Get("record_type").Exists() && v.Get("event_name").Exists():
		return 0.9
	case v.Get("id.applicationName").Exists() && named && (v.Get("id.uniqueQualifier").Exists() || v.Get("id.time").Exists() || v.Get("actor").IsObject()):
		return 0.9
	}
	return 0
}

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	app := strings.ToLower(r.Get("id.applicationName", "record_type"))
	t, ok := formats.Time(v.Get("id.time").String(), nil)
	if !ok {
		if t, ok = formats.Time(v.Get("time_usec").String(), nil); !ok {
			return formats.ErrTime("id.time")
		}
	}
	var err error
	n := 0
	id := ""
	each := func(ev gjson.Result) {
		if n++; n > maxEvents {
			return
		}
		a := activity{r: r, app: app, name: r.String(ev.Get("name"), 128), kind: r.String(ev.Get("type"), 128), params: paramsOf(ev.Get("parameters"))}
		if a.name == "" {
			a.name = r.String(ev.Get("event_name"), 128)
			a.kind = r.String(ev.Get("event_type"), 128)
			a.params = paramsOf(ev.Get(app))
		}
		if id == "" {
			// The qualifier is unique only together with the time and the application.
			if q := r.Get("id.uniqueQualifier", "unique_identifier"); q != "" {
				id = app + ":" + q + ":" + strconv.FormatInt(t.UnixNano(), 36) + ":" + a.name
			}
		}
		m := meaningOf(app, a.name)
		if m.action == "" {
			return
		}
		e := r.Event()
		e.ID, e.Time, e.Action, e.Resource = id, t, m.action, m.resource
		if e.Store == "" {
			e.Store = "google " + app
		}
		e.Shape = app + " " + a.name
		if bad := a.fill(e); bad != nil {
			err = bad
			return
		}
		emit(e)
	}
	switch events := v.Get("events"); {
	case events.IsArray():
		events.ForEach(func(_, ev gjson.Result) bool { each(ev); return n <= maxEvents })
	case events.IsObject():
		each(events)
	case v.Get("event").IsObject():
		each(v.Get("event"))
	default:
		each(v)
	}
	return err
}

// activity is one event of an activity.
type activity struct {
	r               *record.Record
	app, name, kind string
	params          map[string]gjson.Result
}

// maxParams bounds the parameters of an event that are looked at.
const maxParams = 1000

// paramsOf reads parameters, whether they are a list of names and values or an object.
func paramsOf(v gjson.Result) map[string]gjson.Result {
	out := map[string]gjson.Result{}
	v.ForEach(func(key, p gjson.Result) bool {
		name, value := key.Str, p
		if v.IsArray() {
			name = p.Get("name").Str
			for _, key := range [...]string{"value", "intValue", "boolValue", "multiValue.0", "multiIntValue.0"} {
				if value = p.Get(key); value.Exists() {
					break
				}
			}
		}
		if _, twice := out[name]; !twice {
			out[name] = value
		}
		return len(out) < maxParams
	})
	return out
}

// param is the first of the parameters that is not empty.
func (a activity) param(names ...string) string {
	for _, name := range names {
		if s := a.r.String(a.params[name], 512); s != "" {
			return s
		}
	}
	return ""
}

// fill says who did it, from where, to what, and how it ended.
func (a activity) fill(e *vigil.Event) error {
	r := a.r
	e.IP = formats.Address(r.Get("ipAddress", "ip_address"))
	e.Actor.ID = r.Get("actor.email", "email", "actor.profileId", "actor.key", "profile_id")
	switch strings.ToUpper(r.Get("actor.callerType")) {
	case "USER":
		e.Actor.Kind = vigil.KindHuman
	case "KEY":
		e.Actor.Kind = vigil.KindService
	}
	if strings.HasSuffix(strings.ToLower(e.Actor.ID), ".gserviceaccount.com") {
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID == "" {
		// Google itself acts on an account, or the account's owner is named alone.
		e.Actor.ID = a.param("affected_email_address", "USER_EMAIL", "user_email", "email")
	}
	if e.Actor.ID == "" && e.IP != "" {
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	if e.Actor.ID == "" {
		return formats.Errorf("actor", "the activity names no actor")
	}
	e.Outcome = outcome(a)
	switch a.app {
	case "drive":
		a.drive(e)
	case "admin":
		a.admin(e)
	case "token":
		a.token(e)
	case "saml":
		if s := a.param("application_name", "app_name"); s != "" {
			e.Resource = s
		}
	case "calendar":
		if e.Action == vigil.ActionShare {
			e.Destination = destination(a.param("access_level"), a.param("grantee_email"))
		}
	}
	if a.name == "ACCESS" && a.param("GSUITE_PRODUCT_NAME") != "" || a.app == "access_transparency" {
		e.Action, e.Actor.Kind, e.Resource = vigil.ActionRead, vigil.KindVendor, strings.ToLower(a.param("GSUITE_PRODUCT_NAME"))
		e.Ticket, e.Purpose = a.param("TICKETS"), a.param("JUSTIFICATIONS")
		if owner := a.param("OWNER_EMAIL"); owner != "" {
			e.Subjects, e.SubjectCount = []string{owner}, 1
		}
	}
	if e.Resource == "" {
		e.Resource = a.app
	}
	return nil
}

func outcome(a activity) vigil.Outcome {
	low := strings.ToLower(a.name)
	switch {
	case low == "login_failure" || strings.Contains(low, "access_deny") || strings.HasSuffix(low, "_blocked") || strings.HasSuffix(low, "_denied"):
		return vigil.OutcomeDenied
	case low == "login_challenge":
		switch status := strings.ToLower(a.param("login_challenge_status")); {
		case strings.Contains(status, "passed"):
			return vigil.OutcomeSuccess
		case status != "":
			return vigil.OutcomeDenied
		}
		return vigil.OutcomeUnspecified
	case strings.HasPrefix(low, "suspicious_") || low == "gov_attack_warning":
		return vigil.OutcomeUnspecified
	case strings.HasSuffix(low, "_failed") || strings.HasSuffix(low, "_failure"):
		return vigil.OutcomeError
	}
	return vigil.OutcomeSuccess
}

func (a activity) drive(e *vigil.Event) {
	if d := a.param("shared_drive_id", "team_drive_id"); d != "" {
		e.Resource = "shared drive/" + d
	} else if t := a.param("doc_type"); t != "" {
		e.Resource = t
	}
	switch e.Action {
	case vigil.ActionRead, vigil.ActionExport:
		e.Rows = 1
	case vigil.ActionShare:
		e.Destination = destination(a.param("visibility", "new_value"), first(a.param("target_user"), a.param("target_domain")))
	}
	if a.param("actor_is_collaborator_account") == "true" {
		e.Actor.Kind = vigil.KindVendor
	}
	if id := a.param("originating_app_id"); id != "" {
		e.Actor.App = id
	}
}

func (a activity) admin(e *vigil.Event) {
	if role := a.param("ROLE_NAME"); role != "" {
		e.Resource = "role/" + role
	} else if e.Resource == "" {
		e.Resource = strings.ReplaceAll(strings.ToLower(a.kind), "_", " ")
	}
	if user := a.param("USER_EMAIL"); user != "" && !strings.EqualFold(user, e.Actor.ID) {
		e.Subjects, e.SubjectCount = []string{user}, 1
	}
}

func (a activity) token(e *vigil.Event) {
	e.Actor.App = a.param("app_name", "client_id")
	if a.name == "activity" {
		if m := a.param("method_name"); m != "" {
			e.Action, e.Shape, e.Resource = formats.Verb(m[strings.LastIndexByte(m, '.')+1:]), m, first(a.param("api_name"), a.param("product_bucket"))
		}
		e.Bytes = formats.Count(a.param("num_response_bytes"))
	}
}

// destination says whom something was shown to: the new visibility or right, and the
// domain of who got it.
func destination(kind, to string) *vigil.Destination {
	d := &vigil.Destination{Kind: strings.ToLower(kind), Network: strings.ToLower(to[strings.LastIndexByte(to, '@')+1:])}
	if d.Kind == "" && d.Network == "" {
		return nil
	}
	return d
}

func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
