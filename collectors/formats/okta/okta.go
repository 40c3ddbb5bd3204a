// Package okta reads Okta's System Log: what the Logs API returns, what log streaming
// puts on EventBridge or Splunk, and event hooks' bodies.
//
// One record is one event. The event type says what was done: the table in types.go
// gives the action and the kind of thing it was done to, by the longest beginning of
// the type that it has. Background work that nobody did (agents' heartbeats, messages
// sent, rate limits told) yields nothing.
package okta

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "okta"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Okta System Log", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Tells who signs in where and who is given rights, not what is read in the applications.",
		},
		JSON: sure,
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// sure looks for keys that only a LogEvent has. Warehouses write them in lower case.
func sure(v gjson.Result) float64 {
	kind := v.Get("eventType")
	if !kind.Exists() {
		kind = v.Get("eventtype")
	}
	if kind.Type != gjson.String || !strings.Contains(kind.Str, ".") || !v.Get("actor").IsObject() {
		return 0
	}
	n := 0
	if v.Get("actor.alternateId").Exists() && v.Get("published").Exists() {
		n = 3
	}
	for _, key := range [...]string{"legacyEventType", "displayMessage", "outcome.result", "debugContext", "securityContext", "authenticationContext", "transaction.id", "client.userAgent.rawUserAgent"} {
		if v.Get(key).Exists() || v.Get(strings.ToLower(key)).Exists() {
			n++
		}
	}
	switch {
	case n >= 5:
		return 0.95
	case n >= 3:
		return 0.7
	}
	return 0.2
}

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	kind := r.Get("eventType", "eventtype")
	t := typeOf(kind)
	if t.action == "" {
		return nil
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.JSON.Get("published").String(), nil); !ok {
		return formats.ErrTime("published")
	}
	e.ID, e.Action, e.Resource, e.Shape = r.Get("uuid"), t.action, t.resource, kind
	e.IP = address(r)
	if !actor(r, e) {
		return formats.Errorf("actor", "the record names no actor")
	}
	e.Session = known(r.Get("authenticationContext.externalSessionId", "authenticationcontext.externalSessionId"))
	e.UserAgent = r.Get("client.userAgent.rawUserAgent")
	e.Outcome = outcome(r.Get("outcome.result"), e.Action)
	if strings.HasSuffix(kind, ".deny_push") || strings.HasSuffix(kind, ".unauth_app_access_attempt") {
		e.Outcome = vigil.OutcomeDenied // the event is a success at refusing
	}
	if role := r.Get("debugContext.debugData.privilegeGranted", "debugcontext.debugData.privilegeGranted"); role != "" && e.Action == vigil.ActionGrant {
		e.Resource = "role/" + role
	}
	targets(r, e)
	emit(e)
	return nil
}

func known(s string) string {
	if s == "unknown" {
		return ""
	}
	return s
}

func address(r *record.Record) string {
	if a := formats.Address(r.Get("client.ipAddress")); a != "" {
		return a
	}
	return formats.Address(r.Get("request.ipChain.0.ip"))
}

// actor says who did it: by the login name where there is one, else by the id.
func actor(r *record.Record, e *vigil.Event) bool {
	e.Actor.ID = known(r.Get("actor.alternateId"))
	if e.Actor.ID == "" {
		e.Actor.ID = known(r.Get("actor.id"))
	}
	switch strings.ToLower(r.Get("actor.type")) {
	case "user":
		e.Actor.Kind = vigil.KindHuman
	case "systemprincipal", "publicclientapp", "appinstance", "app", "pingagent", "agent":
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID == "system@okta.com" {
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID == "" && e.IP != "" {
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	if e.Actor.ID == "" && r.JSON.Get("actor.id").Exists() {
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
	}
	return e.Actor.ID != ""
}

// targets says whose account it was about, and of a sign-on through Okta which
// application was entered.
func targets(r *record.Record, e *vigil.Event) {
	seen := map[string]bool{strings.ToLower(e.Actor.ID): true}
	r.JSON.Get("target").ForEach(func(_, t gjson.Result) bool {
		name := known(r.String(t.Get("alternateId"), 512))
		switch t.Get("type").Str {
		case "AppInstance":
			if app := r.String(t.Get("displayName"), 128); app != "" && (e.Action == vigil.ActionLogin || e.Resource == "application") {
				e.Resource = app
			}
		case "User", "AppUser":
			// Who signs in is the target of that, too: no customer's record was touched.
			if name == "" {
				name = r.String(t.Get("id"), 128)
			}
			if l := strings.ToLower(name); name != "" && !seen[l] && e.Action != vigil.ActionLogin && e.Action != vigil.ActionLogout && len(e.Subjects) < vigil.MaxSubjects {
				seen[l] = true
				e.Subjects = append(e.Subjects, name)
			}
		}
		return true
	})
	if n := len(e.Subjects); n > 0 {
		e.SubjectCount = int64(n)
	}
}

func outcome(result string, a vigil.Action) vigil.Outcome {
	switch strings.ToUpper(result) {
	case "SUCCESS", "ALLOW":
		return vigil.OutcomeSuccess
	case "DENY", "RATE_LIMIT", "UNANSWERED", "REJECTED":
		return vigil.OutcomeDenied
	case "FAILURE":
		if a == vigil.ActionLogin {
			return vigil.OutcomeDenied
		}
		return vigil.OutcomeError
	case "ABANDONED":
		return vigil.OutcomeError
	}
	// CHALLENGE, SKIPPED, DEFERRED, SCHEDULED, UNKNOWN: it is not over.
	return vigil.OutcomeUnspecified
}
