package envoy

import (
	"errors"
	"fmt"
	"strings"

	"vigil/collectors/formats/web"
)

// chosen are the commands, or keys of JSON, that the configuration picks for a meaning.
type chosen struct{ actor, session, address string }

// command takes the percent signs off.
func command(s string) string { return strings.Trim(strings.TrimSpace(s), "%") }

// commands are Envoy's operators whose values are read; every other is skipped.
var commands = map[string]web.Field{
	"START_TIME": web.FieldTimeISO, "RESPONSE_CODE": web.FieldStatus, "BYTES_SENT": web.FieldBodyBytes, "REQ(:METHOD)": web.FieldMethod,
	"REQ(X-ENVOY-ORIGINAL-PATH?:PATH)": web.FieldURI, "REQ(:PATH)": web.FieldURI, "REQ(:PATH?X-ENVOY-ORIGINAL-PATH)": web.FieldURI,
	"REQ(USER-AGENT)": web.FieldUserAgent, "REQ(X-FORWARDED-FOR)": web.FieldForwarded, "DOWNSTREAM_REMOTE_ADDRESS": web.FieldAddress,
	"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": web.FieldAddress, "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": web.FieldNone,
}

// compile reads a text format.
func compile(s string, names chosen) (l *web.Layout, timeLayout string, err error) {
	if len(s) > web.MaxLayout {
		return nil, "", fmt.Errorf("it has %d bytes, at most %d are read", len(s), web.MaxLayout)
	}
	s = strings.TrimRight(strings.TrimSuffix(strings.TrimSpace(s), `\n`), "\n")
	l = &web.Layout{}
	for s != "" {
		literal, rest, found := strings.Cut(s, "%")
		l.Literal(literal)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "%") {
			l.Literal("%")
			s = rest[1:]
			continue
		}
		name, after, err := operator(rest)
		if err != nil {
			return nil, "", err
		}
		s = after
		p := web.Part{Name: "%" + name + "%", Field: meaning(name, names)}
		if form, ok := strings.CutPrefix(name, "START_TIME("); ok {
			form = strings.TrimSuffix(form, ")")
			if strings.HasPrefix(form, "%s") {
				p.Field = web.FieldMsec
			} else if timeLayout, ok = web.Strftime(form); !ok {
				return nil, "", fmt.Errorf("the form of %%%s%% can't be read: leave it out", name)
			} else {
				p.Field, p.Least = web.FieldTimeISO, max(0, len(timeLayout)-4)
			}
		}
		if !l.Value(p) {
			return nil, "", fmt.Errorf("%s follows %s with nothing between: where one ends can't be seen", p.Name, l.Parts[len(l.Parts)-1].Name)
		}
	}
	f := l.Fields()
	switch {
	case len(l.Parts) == 0:
		return nil, "", errors.New("it holds no command")
	case !f.HasTime():
		return nil, "", errors.New("it needs a time: %START_TIME%")
	case !f.HasRequest() || !f.Has(web.FieldMethod):
		return nil, "", errors.New("it needs the request: %REQ(:METHOD)% and %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%")
	}
	return l, timeLayout, nil
}

// operator reads a command up to its end; percent signs may stand within its brackets.
func operator(s string) (name, rest string, err error) {
	depth := 0
	for i := range len(s) {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case s[i] == '%' && depth <= 0:
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errors.New("a command has no % behind it")
}

// meaning is what a command means; a length at its end, and the name's case, do not
// matter.
func meaning(name string, names chosen) web.Field {
	if i := strings.LastIndexByte(name, ':'); i > 0 && web.Digits(name[i+1:]) {
		name = name[:i]
	}
	switch name {
	case names.actor:
		return web.FieldActor
	case names.session:
		return web.FieldSession
	case names.address:
		return web.FieldAddress
	}
	upper := strings.Replace(strings.ToUpper(name), "REQUEST_HEADER(", "REQ(", 1)
	f := commands[upper]
	if f == web.FieldAddress && names.address != "" {
		return web.FieldNone
	}
	return f
}
