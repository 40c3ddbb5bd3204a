package azure

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// signin reads a sign-in: of a user, of an application, of a managed identity.
func (a entry) signin() (*vigil.Event, error) {
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.ID = a.prop("id")
	e.Action, e.Resource, e.Shape = vigil.ActionLogin, first(a.prop("resourceDisplayName"), a.prop("appDisplayName"), "entra id"), "sign-in"
	if e.Store == "" || strings.HasPrefix(strings.ToLower(a.top("resourceId")), "/tenants/") {
		e.Store = "entra id"
	}
	e.IP = formats.Address(first(a.prop("ipAddress"), a.top("callerIpAddress")))
	switch user := first(a.prop("userPrincipalName"), a.prop("userId")); {
	case user != "":
		e.Actor.ID, e.Actor.Kind = user, vigil.KindHuman
	default:
		e.Actor.ID, e.Actor.Kind = first(a.prop("servicePrincipalName"), a.prop("servicePrincipalId"), a.prop("appId")), vigil.KindService
	}
	if e.Actor.ID == "" {
		e.Actor.ID, e.Actor.Kind = a.top("identity"), vigil.KindUnspecified
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	e.Actor.App = a.prop("appDisplayName", "clientAppUsed")
	e.UserAgent = first(a.prop("userAgent"), a.prop("deviceDetail.browser"))
	e.Session = a.prop("sessionId")
	e.Outcome = signinOutcome(first(a.prop("status.errorCode"), a.top("resultType")), a.top("resultSignature"))
	return e, nil
}

// signinOutcome reads Entra's error code: 0 is in, all others are not.
func signinOutcome(code, signature string) vigil.Outcome {
	switch {
	case code == "0" || strings.EqualFold(code, "success"):
		return vigil.OutcomeSuccess
	case code == "" && strings.EqualFold(signature, "success"):
		return vigil.OutcomeSuccess
	case code == "":
		return vigil.OutcomeUnspecified
	}
	return vigil.OutcomeDenied
}
