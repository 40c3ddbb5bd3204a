package awslb

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// The keys under which API Gateway's JSON holds what counts. People choose them; these
// are the ones of the documentation's examples and the names of the variables.
var (
	keysUser = []string{"principalId", "authorizerPrincipalId", "authorizer.principalId", "sub", "claims.sub", "cognitoUser", "userArn", "user", "caller",
		"cognitoIdentityId", "apiKeyId", "identity.user", "identity.caller", "identity.userArn"}
	keysAddress = []string{"ip", "sourceIp", "sourceIP", "identity.sourceIp", "clientIp"}
	keysMethod  = []string{"httpMethod", "method", "http_method"}
	keysPath    = []string{"path", "resourcePath", "resource_path", "rawPath"}
	keysBytes   = []string{"responseLength", "response_length"}
	keysAgent   = []string{"userAgent", "identity.userAgent", "user_agent"}
	keysTime    = []string{"requestTimeEpoch", "requestTime"}
	keysStore   = []string{"domainName", "apiId"}
	keysSession = []string{"connectionId"}
)

// first is the first of the keys that has a value.
func first(v gjson.Result, keys []string) string {
	for _, k := range keys {
		if s := v.Get(k).String(); s != "" && s != "-" {
			return s
		}
	}
	return ""
}

// gateway reads API Gateway's JSON.
func (r *reader) gateway(rec *record.Record, emit func(*vigil.Event)) error {
	v := rec.JSON
	method, path := first(v, keysMethod), first(v, keysPath)
	if route := v.Get("routeKey").Str; route != "" {
		// "GET /pets/{id}" of an HTTP API, "$default" or "sendMessage" of a WebSocket's.
		if m, p, ok := strings.Cut(route, " "); ok {
			if method == "" {
				method = m
			}
			if path == "" {
				path = p
			}
		} else if path == "" && route[0] != '$' {
			path = "/" + route
		}
	}
	var f web.Fields
	f.Set(web.FieldAddress, formats.Address(first(v, keysAddress)))
	if at := first(v, keysTime); strings.Contains(at, "/") {
		f.Set(web.FieldTimeLocal, at)
	} else {
		f.Set(web.FieldTimeISO, at)
	}
	if method == "" && path != "" {
		method = "GET"
		if v.Get("eventType").Exists() {
			method = "POST" // a message over a WebSocket
		}
	}
	f.Set(web.FieldMethod, method)
	if path == "" {
		path = "/"
	}
	f.Set(web.FieldURI, path)
	f.Set(web.FieldStatus, first(v, []string{"status"}))
	f.Set(web.FieldBodyBytes, first(v, keysBytes))
	f.Set(web.FieldUserAgent, first(v, keysAgent))
	f.Set(web.FieldServerName, first(v, keysStore))
	f.Set(web.FieldSession, first(v, keysSession))
	user := first(v, keysUser)
	if r.actor != "" {
		if own := first(v, []string{r.actor, gjson.Escape(r.actor)}); own != "" {
			user = own
		}
	}
	f.Set(web.FieldUser, user)
	return r.give(rec, &f, v.Get("requestId").Str, emit)
}

// give makes the event.
func (r *reader) give(rec *record.Record, f *web.Fields, id string, emit func(*vigil.Event)) error {
	e, err := r.fill(rec, f)
	if err != nil {
		return err
	}
	e.ID = strings.Clone(formats.Clean(id, 128))
	if strings.HasPrefix(e.Actor.ID, "arn:") {
		e.Actor = r.actors.Of(e.Actor.ID)
	}
	emit(e)
	return nil
}

// commonForm says that a line is API Gateway's of the documentation's example for the
// common log format, in which no space stands behind the time.
func commonForm(s string) bool {
	head, tail, ok := strings.Cut(s, `]"`)
	if !ok || len(head) > 1024 {
		return false
	}
	before, at, ok := strings.Cut(head, "[")
	f := strings.Fields(before)
	return ok && len(at) == 26 && len(f) >= 3 && formats.Address(f[0]) != "" && strings.Contains(tail, `" `)
}

// common reads such a line.
func (r *reader) common(rec *record.Record, s string, emit func(*vigil.Event)) error {
	head, tail, _ := strings.Cut(s, `]"`)
	before, at, _ := strings.Cut(head, "[")
	who := strings.Fields(before)
	request, rest, ok := web.Quoted(`"` + tail)
	t := tokens{rest: rest, ok: ok}
	status, length := t.next(), t.next()
	if !t.ok || len(who) < 3 {
		return errCut("API Gateway")
	}
	id := t.next()
	var f web.Fields
	f.Set(web.FieldAddress, formats.Address(who[0]))
	for _, u := range []string{who[2], who[1]} {
		if u != "-" {
			f.Set(web.FieldUser, u)
			break
		}
	}
	f.Set(web.FieldTimeLocal, at)
	f.Set(web.FieldRequest, request)
	f.Set(web.FieldStatus, status)
	f.Set(web.FieldBodyBytes, length)
	return r.give(rec, &f, id, emit)
}
