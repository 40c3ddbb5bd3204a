package apache

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats/web"
)

// layout is a compiled LogFormat: a line's, or the values of a JSON object.
type layout struct {
	line *web.Layout
	json []member
	// time is how a time of one's own form is written, as package time has it; empty
	// without one.
	time string
}

// member is one value of a JSON object.
type member struct {
	path  string
	value *web.Layout
}

// chosen are the directives that the configuration picks for a meaning.
type chosen struct{ actor, session, address string }

// directives are those of mod_log_config whose values are read; every other is skipped.
var directives = map[string]web.Field{
	"h": web.FieldAddress, "a": web.FieldAddress, "u": web.FieldUser, "t": web.FieldTimeLocal, "r": web.FieldRequest,
	"m": web.FieldMethod, "U": web.FieldPath, "q": web.FieldArgs, "s": web.FieldStatus, "b": web.FieldBodyBytes, "B": web.FieldBodyBytes,
	"O": web.FieldBytes, "v": web.FieldServerName,
	"{user-agent}i": web.FieldUserAgent, "{x-forwarded-for}i": web.FieldForwarded, "{c}a": web.FieldNone,
}

// compile reads the string of a LogFormat directive. Quotes and the directive itself
// around it are taken off, so that a copy of the whole line will do.
func compile(s string, names chosen) (*layout, error) {
	if len(s) > web.MaxLayout {
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", len(s), web.MaxLayout)
	}
	s = directive(s)
	l := &layout{}
	var f web.Fields
	if strings.HasPrefix(strings.TrimSpace(s), "{") && !strings.HasPrefix(strings.TrimSpace(s), "{%") {
		if err := l.object(s, names, &f); err != nil {
			return nil, err
		}
	} else {
		var err error
		if l.line, err = l.text(s, names); err != nil {
			return nil, err
		}
		f = *l.line.Fields()
	}
	switch {
	case !f.HasTime():
		return nil, errors.New("it needs a time: %t")
	case !f.HasRequest():
		return nil, errors.New("it needs the request: %r, or %m with %U")
	}
	return l, nil
}

// bare finds a value of a JSON LogFormat that has no quotes, as numbers have none.
var bare = regexp.MustCompile(`(:\s*)(%[^",}\s]+)`)

// object compiles a LogFormat that writes JSON.
func (l *layout) object(s string, names chosen, all *web.Fields) error {
	s = bare.ReplaceAllString(s, `$1"$2"`)
	if !gjson.Valid(s) {
		return errors.New("it looks like JSON and is none")
	}
	var err error
	var walk func(prefix string, v gjson.Result)
	walk = func(prefix string, v gjson.Result) {
		v.ForEach(func(key, value gjson.Result) bool {
			path := prefix + strings.NewReplacer(".", `\.`, "*", `\*`, "?", `\?`, "|", `\|`, "#", `\#`, "@", `\@`).Replace(key.Str)
			if value.IsObject() {
				walk(path+".", value)
				return err == nil
			}
			if value.Type != gjson.String || !strings.Contains(value.Str, "%") {
				return true
			}
			var m *web.Layout
			if m, err = l.text(value.Str, names); err != nil {
				return false
			}
			all.Fill(m.Fields())
			l.json = append(l.json, member{path, m})
			return true
		})
	}
	walk("", gjson.Parse(s))
	if err == nil && len(l.json) == 0 {
		err = errors.New("it holds no directive")
	}
	return err
}

// text compiles a line, or one value.
func (l *layout) text(s string, names chosen) (*web.Layout, error) {
	out := &web.Layout{}
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '%')
		if next < 0 {
			next = len(s) - i
		}
		out.Literal(s[i : i+next])
		if i += next; i >= len(s) {
			break
		}
		d, n, err := directiveAt(s[i:])
		if err != nil {
			return nil, err
		}
		i += n
		if d.letter == "%" {
			out.Literal("%")
			continue
		}
		if n := len(out.Parts); n > 0 && d.letter == "t" && l.goesOn(&out.Parts[n-1], d.argument) {
			continue
		}
		if n := len(out.Parts); n > 0 && d.letter == "q" && out.Parts[n-1].Field == web.FieldPath && out.Parts[n-1].Until == "" {
			// %U%q: the query brings its question mark with it.
			out.Parts[n-1].Field = web.FieldURI
			continue
		}
		p := l.part(d, names)
		if !out.Value(p) {
			return nil, fmt.Errorf("%s follows %s with nothing between: where one ends can't be seen", p.Name, out.Parts[len(out.Parts)-1].Name)
		}
	}
	if len(out.Parts) == 0 {
		return nil, errors.New("it holds no directive")
	}
	return out, nil
}

// part is what a directive means.
func (l *layout) part(d token, names chosen) web.Part {
	p := web.Part{Name: d.text}
	key := d.letter
	if d.argument != "" {
		key = "{" + strings.ToLower(d.argument) + "}" + d.letter
	}
	switch {
	case names.actor != "" && d.is(names.actor):
		p.Field = web.FieldActor
	case names.session != "" && d.is(names.session):
		p.Field = web.FieldSession
	case names.address != "" && d.is(names.address):
		p.Field = web.FieldAddress
	case d.letter == "t":
		l.clock(&p, d.argument)
	default:
		p.Field = directives[key]
		if p.Field == web.FieldAddress && names.address != "" {
			p.Field = web.FieldNone
		}
	}
	return p
}

// clock is a time: %t has brackets around it, %{...}t is strftime's, or a number.
func (l *layout) clock(p *web.Part, form string) {
	form = strings.TrimPrefix(strings.TrimPrefix(form, "begin:"), "end:")
	switch form {
	case "":
		p.Field, p.Least = web.FieldTimeLocal, len("[02/Jan/2006:15:04:05 -0700]")
		return
	case "sec", "msec", "usec":
		p.Field = web.FieldMsec
		return
	}
	written, ok := web.Strftime(form)
	if !ok || l.time != "" {
		return
	}
	l.time = written
	p.Field, p.Least = web.FieldTimeISO, max(0, len(written)-4)
}

// goesOn adds to a time what the next directive tells of the same: its fraction, its
// zone.
func (l *layout) goesOn(last *web.Part, form string) bool {
	form = strings.TrimPrefix(strings.TrimPrefix(form, "begin:"), "end:")
	piece, ok := map[string]string{"msec_frac": "000", "usec_frac": "000000"}[form]
	switch last.Field {
	case web.FieldMsec:
		ok = ok && last.Until == "."
	case web.FieldTimeISO:
		if !ok {
			piece, ok = web.Strftime(form)
		}
		if ok {
			l.time += last.Until + piece
		}
	default:
		return false
	}
	if ok {
		last.Least += len(last.Until) + len(piece)
		last.Until = ""
	}
	return ok
}

// parse reads a line into f.
func (l *layout) parse(s string, f *web.Fields) (failed string, ok bool) {
	if l.line != nil {
		return l.line.Parse(s, f)
	}
	v := gjson.Parse(s)
	for _, m := range l.json {
		got := v.Get(m.path)
		if !got.Exists() {
			return m.value.Parts[0].Name, false
		}
		if failed, ok := m.value.Parse(strings.TrimSpace(got.String()), f); !ok {
			return failed, false
		}
	}
	return "", true
}

// is tells a JSON object of this layout.
func (l *layout) is(v gjson.Result) bool {
	for _, m := range l.json {
		if !v.Get(m.path).Exists() {
			return false
		}
	}
	return len(l.json) > 0
}

// token is one directive: %>s, %!200{Referer}i.
type token struct{ text, argument, letter string }

// is reports whether name is this directive, with or without its percent sign.
func (t token) is(name string) bool {
	name = strings.TrimPrefix(strings.TrimSpace(name), "%")
	return name == strings.TrimPrefix(t.text, "%") || strings.EqualFold(name, "{"+t.argument+"}"+t.letter)
}

// directiveAt reads the directive at the start of s.
func directiveAt(s string) (t token, n int, err error) {
	i := 1
	for i < len(s) && strings.IndexByte("!<>,0123456789", s[i]) >= 0 {
		i++
	}
	if i < len(s) && s[i] == '{' {
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return t, 0, errors.New("a %{ has no }")
		}
		t.argument = s[i+1 : i+end]
		i += end + 1
	}
	if i < len(s) && s[i] == '^' {
		i += 2 // %{...}^ti, a trailer
	}
	if i >= len(s) {
		return t, 0, errors.New("it ends within a directive")
	}
	t.letter, t.text = s[i:i+1], s[:i+1]
	return t, i + 1, nil
}

// directive takes `LogFormat "..." name`, `CustomLog file "..."` and escaped quotes off.
func directive(s string) string {
	t := strings.TrimSpace(s)
	lower := strings.ToLower(t)
	switch {
	case strings.HasPrefix(lower, "logformat"), strings.HasPrefix(lower, "customlog"):
		i := strings.IndexByte(t, '"')
		if i < 0 {
			return t
		}
		t = t[i:]
	case !strings.HasPrefix(t, `"`) || !strings.Contains(t, `\"`):
		return strings.TrimRight(s, "\r\n")
	}
	value, _, ok := web.Quoted(t)
	if !ok {
		return t
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\t`, "\t", `\n`, "").Replace(value)
}
