// Package aws is what the logs of AWS share: who an Amazon Resource Name stands for,
// what a resource is called, whose data an object's key names, what an error code means.
// It holds no global state; an [Actors] and a [Keys] belong to one goroutine.
package aws

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// Actors knows who ARNs stand for. It remembers the latest ones; the zero value is ready.
type Actors struct{ known map[string]vigil.Actor }

// maxKnown bounds the ARNs remembered; when full all are forgotten.
const maxKnown = 8192

// Of returns the actor that an ARN stands for.
//
// The id is the ARN of the user or the role session, as it stands in every log of AWS, so
// that one actor is the same in all of them. Where a machine made the session's name (an
// instance's id, a task's, a number that the SDK counts) the id ends with the role: every
// new instance would be somebody new else.
func (a *Actors) Of(arn string) vigil.Actor {
	if who, ok := a.known[arn]; ok {
		return who
	}
	arn = strings.Clone(formats.Clean(arn, 512))
	who := actor(arn)
	if a.known == nil || len(a.known) >= maxKnown {
		a.known = make(map[string]vigil.Actor)
	}
	a.known[arn] = who
	return who
}

func actor(arn string) vigil.Actor {
	who := vigil.Actor{ID: arn}
	name, ok := Split(arn)
	if !ok {
		return who
	}
	switch {
	case name.Service == "iam" && name.Resource == "root":
		who.Kind = vigil.KindAdmin
	case name.Service == "sts" && strings.HasPrefix(name.Resource, "assumed-role/"):
		role, session, _ := strings.Cut(strings.TrimPrefix(name.Resource, "assumed-role/"), "/")
		who.Role = role
		switch {
		case strings.HasPrefix(role, "AWSReservedSSO_"):
			who.Kind = vigil.KindHuman
		case strings.HasPrefix(role, "AWSServiceRoleFor"):
			who.Kind = vigil.KindService
		}
		if MachineMade(session) {
			who.ID = strings.TrimSuffix(arn, "/"+session)
			if who.Kind == vigil.KindUnspecified {
				who.Kind = vigil.KindService
			}
		}
	}
	return who
}

// MachineMade says that a session's name is one that programs make up anew each time: it
// holds a UUID or a run of at least ten digits or sixteen hexadecimal ones, or is the id
// of an instance.
func MachineMade(session string) bool {
	if strings.HasPrefix(session, "i-") && len(session) >= 10 && hexadecimal(session[2:]) {
		return true
	}
	if strings.ContainsRune(session, '@') {
		return false
	}
	digits, hex, decimals := 0, 0, 0
	for i := range len(session) {
		switch c := session[i]; {
		case c >= '0' && c <= '9':
			digits, hex, decimals = digits+1, hex+1, decimals+1
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			digits, hex = 0, hex+1
		case c == '-' && i > 0 && session[i-1] != '-':
			// The dashes of a UUID stand between hexadecimal digits.
			digits = 0
			continue
		default:
			digits, hex, decimals = 0, 0, 0
		}
		if digits >= 10 || hex >= 16 && decimals >= 4 {
			return true
		}
	}
	return false
}

func hexadecimal(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// Name is an Amazon Resource Name, taken apart.
type Name struct{ Service, Region, Account, Resource string }

// Split takes an ARN apart: arn:partition:service:region:account:resource.
func Split(arn string) (Name, bool) {
	if !strings.HasPrefix(arn, "arn:") {
		return Name{}, false
	}
	var part [5]string
	rest := arn[4:]
	for i := range part[:4] {
		var ok bool
		if part[i], rest, ok = strings.Cut(rest, ":"); !ok {
			return Name{}, false
		}
	}
	return Name{Service: part[1], Region: part[2], Account: part[3], Resource: rest}, rest != ""
}

// ResourceName is what an ARN names, without its type, account and what a service added
// (the version of a function, the six characters behind a secret's name). What is no ARN
// is returned as it is.
func ResourceName(s string) string {
	n, ok := Split(s)
	if !ok {
		return s
	}
	r := n.Resource
	switch n.Service {
	case "s3":
		return r
	case "secretsmanager":
		r = strings.TrimPrefix(r, "secret:")
		if i := len(r) - 7; i > 0 && r[i] == '-' {
			r = r[:i]
		}
		return r
	case "ssm":
		return strings.TrimPrefix(r, "parameter")
	case "dynamodb":
		r = strings.TrimPrefix(r, "table/")
		r, _, _ = strings.Cut(r, "/")
		return r
	case "logs":
		r = strings.TrimPrefix(r, "log-group:")
		r, _, _ = strings.Cut(r, ":")
		return r
	case "lambda":
		r = strings.TrimPrefix(r, "function:")
		r, _, _ = strings.Cut(r, ":")
		return r
	}
	if i := strings.IndexAny(r, "/:"); i >= 0 && i < len(r)-1 {
		return r[i+1:]
	}
	return r
}

// Outcome is what an error code says: the empty one is a success.
func Outcome(code string) vigil.Outcome {
	if code == "" {
		return vigil.OutcomeSuccess
	}
	for _, w := range [...]string{
		"AccessDenied", "Unauthorized", "UnauthorizedOperation", "NotAuthorized", "Forbidden", "AuthFailure", "InvalidClientTokenId", "ExpiredToken",
		"SignatureDoesNotMatch", "InvalidAccessKeyId", "UnrecognizedClient", "AuthorizationError", "Failed authentication", "MissingAuthenticationToken",
		"ResourceOwnerNotAllowed", "OptInRequired", "AllAccessDisabled", "InvalidToken", "RequestExpired", "TokenRefreshRequired",
	} {
		if strings.Contains(code, w) {
			return vigil.OutcomeDenied
		}
	}
	return vigil.OutcomeError
}
