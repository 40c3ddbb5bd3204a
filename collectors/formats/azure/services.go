package azure

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// openai reads Azure OpenAI and the other AI services: calls of models, and who took
// the keys. Prompts and answers are not kept.
func (a entry) openai(category string) (*vigil.Event, error) {
	if category != "requestresponse" && category != "audit" && category != "azureopenairequestusage" {
		return nil, nil // traces and metrics
	}
	operation := a.operation()
	low := strings.ToLower(operation)
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.Shape = operation
	switch {
	case category == "audit" && strings.Contains(low, "key"):
		e.Action, e.Resource = vigil.ActionRead, "keys"
		if strings.Contains(low, "regenerate") {
			e.Action = vigil.ActionConfigure
		}
	case strings.Contains(low, "completion") || strings.Contains(low, "embedding") || strings.Contains(low, "responses_create") || strings.Contains(low, "image") || strings.Contains(low, "audio") || strings.HasPrefix(low, "createrun"):
		e.Action, e.Resource = vigil.ActionExecute, first(a.prop("modelDeploymentName"), a.prop("modelName"), "model")
	default:
		e.Action = formats.Verb(operation)
		thing, _, _ := strings.Cut(operation, "_")
		e.Resource = strings.ToLower(first(thing, a.prop("apiName")))
	}
	address := first(a.top("callerIpAddress"), a.top("callerIPAddress"))
	e.IP = formats.Address(address)
	switch object := a.prop("objectId"); {
	case object != "":
		e.Actor.ID = object
	case e.IP == "" && address != "":
		// Masked: 198.51.100.***. It is no address, but it is a caller.
		e.Actor.ID, e.Actor.Kind = address, vigil.KindAnonymous
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	if e.Action.Discloses() {
		e.Bytes = formats.Count(a.prop("responseLength"))
	}
	e.Outcome = formats.OutcomeOfStatus(formats.Count(first(a.top("resultSignature"), a.prop("statusCode"))))
	if e.Outcome == vigil.OutcomeUnspecified && category == "audit" {
		e.Outcome = activityOutcome(a.top("resultType"), "")
	}
	return e, nil
}

// vault reads Key Vault's audit events.
func (a entry) vault() (*vigil.Event, error) {
	operation := a.operation()
	status := formats.Count(first(a.prop("httpStatusCode"), a.top("resultSignature")))
	if operation == "Authentication" && status == 401 {
		return nil, nil // every client's first call, before it has a token
	}
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	c := a.claims()
	e.IP = formats.Address(a.top("callerIpAddress"))
	who(e, c)
	if err := nobody(e); err != nil {
		return nil, err
	}
	e.Actor.App, e.UserAgent, e.Shape = c.app, a.prop("clientInfo"), operation
	e.Action = formats.Verb(operation)
	low := strings.ToLower(operation)
	switch {
	case operation == "Authentication":
		e.Action = vigil.ActionLogin
	case strings.HasPrefix(low, "vaultaccesspolicy") || strings.Contains(low, "sasdefinitionset"):
		e.Action = vigil.ActionGrant
	case strings.HasPrefix(low, "vault") && e.Action == vigil.ActionWrite:
		e.Action = vigil.ActionConfigure
	case strings.HasSuffix(low, "set") && e.Action == vigil.ActionConfigure:
		e.Action = vigil.ActionWrite
	case strings.HasSuffix(low, "backup"):
		e.Action = vigil.ActionExport
	case e.Action == vigil.ActionOther && strings.HasPrefix(low, "key"):
		e.Action = vigil.ActionExecute // sign, decrypt, unwrap
	}
	e.Resource = "vault"
	if parts := strings.Split(a.prop("id", "requestUri"), "/"); len(parts) >= 5 {
		name, _, _ := strings.Cut(parts[4], "?")
		e.Resource = parts[3] + "/" + name // secrets/name, without the version
	}
	if e.Action == vigil.ActionRead {
		e.Rows = 1
	}
	e.Outcome = formats.OutcomeOfStatus(status)
	return e, nil
}

// webLogs are logs of requests to gateways and applications.
var webLogs = map[string]bool{
	"applicationgatewayaccesslog": true, "frontdooraccesslog": true, "appservicehttplogs": true, "gatewaylogs": true, "azurecdnaccesslog": true,
}

// web reads a request that came through a gateway.
func (a entry) web() (*vigil.Event, error) {
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.IP = formats.Address(first(a.prop("clientIP", "clientIp", "CIp", "callerIpAddress", "socketIp"), a.top("callerIpAddress")))
	e.Actor.ID = first(a.prop("CsUsername", "userId"), "")
	if e.Actor.ID == "-" {
		e.Actor.ID = ""
	}
	if s := a.prop("apimSubscriptionId"); e.Actor.ID == "" && s != "" {
		e.Actor.ID, e.Actor.Kind = s, vigil.KindService
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	method := strings.ToUpper(a.prop("httpMethod", "CsMethod", "method"))
	path := first(a.prop("CsUriStem"), a.r.Clean(pathOf(a.r.String(a.p.Get("requestUri"), 4096)), 512), a.r.Clean(pathOf(a.r.String(a.p.Get("url"), 4096)), 512), "/")
	path = templateOf(path)
	e.Resource, e.Shape = path, method+" "+path
	switch method {
	case "GET", "HEAD":
		e.Action = vigil.ActionRead
		if strings.Contains(path, "/export") || strings.Contains(path, "/download") {
			e.Action = vigil.ActionExport
		} else if strings.Contains(path, "/search") {
			e.Action = vigil.ActionSearch
		}
	case "POST", "PUT", "PATCH":
		e.Action = vigil.ActionWrite
	case "DELETE":
		e.Action = vigil.ActionDelete
	default:
		e.Action = vigil.ActionOther
	}
	e.UserAgent = a.prop("userAgent", "UserAgent")
	e.Outcome = formats.OutcomeOfStatus(formats.Count(a.prop("httpStatus", "httpStatusCode", "ScStatus", "responseCode")))
	if e.Action.Discloses() {
		e.Bytes = formats.Count(a.prop("sentBytes", "ScBytes", "responseBytes", "responseSize"))
	}
	return e, nil
}

func pathOf(uri string) string {
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		uri = "/" + path
	}
	uri, _, _ = strings.Cut(uri, "?")
	return uri
}

// templateOf takes the ids out of a path.
func templateOf(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789@") && !(len(p) <= 3 && strings.HasPrefix(p, "v")) {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts[:min(len(parts), 12)], "/")
}

// kubernetes reads the audit log of a cluster's API, which comes as JSON in a string.
func (a entry) kubernetes() (*vigil.Event, error) {
	text := a.p.Get("log").Str
	if !strings.HasPrefix(text, "{") || !gjson.Valid(text) {
		return nil, nil
	}
	log := gjson.Parse(text)
	get := func(path string) string { return a.r.String(log.Get(path), 512) }
	user := get("impersonatedUser.username")
	if user == "" {
		user = get("user.username")
	}
	if stage := get("stage"); user == "" || stage != "" && stage != "ResponseComplete" && stage != "Panic" {
		return nil, nil // another record of the request tells how it ended
	}
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.ID, e.Actor.ID, e.Actor.Kind = get("auditID"), user, vigil.KindHuman
	if strings.HasPrefix(user, "system:") {
		e.Actor.Kind = vigil.KindService
		if user == "system:anonymous" {
			e.Actor.Kind = vigil.KindAnonymous
		}
	}
	e.IP, e.UserAgent = formats.Address(get("sourceIPs.0")), get("userAgent")
	verb := get("verb")
	e.Resource = get("objectRef.resource")
	if sub := get("objectRef.subresource"); sub != "" {
		e.Resource += "/" + sub
	}
	if e.Resource == "" {
		return nil, nil // health checks and discovery
	}
	e.Shape = verb + " " + e.Resource
	switch verb {
	case "watch":
		e.Action = vigil.ActionSearch
	case "deletecollection":
		e.Action = vigil.ActionDelete
	default:
		e.Action = formats.Verb(verb)
	}
	switch e.Resource {
	case "rolebindings", "clusterrolebindings", "roles", "clusterroles", "serviceaccounts/token":
		if e.Action == vigil.ActionWrite {
			e.Action = vigil.ActionGrant
		}
	case "pods/exec", "pods/attach", "pods/portforward":
		e.Action = vigil.ActionExecute
	}
	e.Outcome = formats.OutcomeOfStatus(formats.Count(get("responseStatus.code")))
	return e, nil
}

// other reads what else names a caller: services' own operational logs.
func (a entry) other(category string) (*vigil.Event, error) {
	operation := first(a.operation(), a.top("EventName"))
	c := a.claims()
	caller := first(a.top("Caller"), a.prop("caller", "userId", "user", "principalId"), a.top("identity"))
	address := formats.Address(first(a.top("callerIpAddress"), a.prop("clientIpAddress", "clientIP", "ClientIp", "callerIpAddress")))
	if operation == "" || caller == "" && c == (claims{}) && address == "" {
		return nil, nil // nobody did it: metrics, traces, the platform's own work
	}
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.IP, e.Shape = address, operation
	who(e, c, caller)
	if err := nobody(e); err != nil {
		return nil, err
	}
	if strings.EqualFold(caller, "portal") || strings.EqualFold(caller, "arm") {
		e.Actor.Kind = vigil.KindService
	}
	if strings.Contains(operation, "/") {
		e.Action, e.Resource = controlAction(operation)
	} else {
		e.Action, e.Resource = formats.Verb(operation), category
	}
	e.Outcome = activityOutcome(first(a.top("resultType"), a.top("Status")), a.top("resultSignature"))
	return e, nil
}
