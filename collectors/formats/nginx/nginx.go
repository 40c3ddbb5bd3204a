// Package nginx reads nginx's access log: combined and what is like it, any
// log_format given as nginx has it, JSON, the ingress controller's form and the
// proxy manager's.
//
// Lines may be wrapped in syslog, a container's log or JSON. A decoder holds no state
// between lines and keeps nothing back but such a record; one goroutine uses it at a
// time. What a line becomes: the method and path give the action
// and the resource, the status the outcome, the user the actor; without a user
// the address is an anonymous actor. Of the query only the names of its
// parameters are kept, and the values that the mapping calls ids. The log's
// request id is not taken as the event's id: a client can choose it, and would choose
// the same one each time so as to be counted once. Lines of nginx's error log are
// no accesses and yield nothing.
package nginx

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/web"
)

// Name is what the configuration calls the format.
const Name = "nginx"

// paramLogFormat is the parameter that this format has of its own.
const paramLogFormat = "log_format"

type format struct{}

// Format returns the nginx format. Its parameters are
//
//   - log_format: the string of the log_format directive, such as
//     `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`;
//     without it the form is found line by line
//   - actor: the variable that names the user, such as $http_x_user, before $remote_user
//   - session: the variable that names the session
//   - address: the variable that holds the client's address, instead of $remote_addr
//   - trusted_proxies: how many public addresses at the end of X-Forwarded-For
//     are proxies of one's own; 0 without it
func Format() formats.Format { return format{} }

func (format) Name() string { return Name }

// New makes a decoder.
func (format) New(opts formats.Options) (formats.Decoder, error) {
	for name, value := range opts.Params {
		switch name {
		case paramLogFormat, web.ParamProxies:
		case web.ParamActor, web.ParamSession, web.ParamAddress:
			if variable(value) == "" {
				return nil, fmt.Errorf("parameter %s: %q names no variable", name, value)
			}
		default:
			return nil, fmt.Errorf("format nginx has no parameter %q: there are %s, %s, %s, %s and %s", name,
				paramLogFormat, web.ParamActor, web.ParamSession, web.ParamAddress, web.ParamProxies)
		}
	}
	d := &decoder{opts: opts, id: formats.NewIdentity(opts.Source, opts.File)}
	d.names = chosen{variable(opts.Params[web.ParamActor]), variable(opts.Params[web.ParamSession]), variable(opts.Params[web.ParamAddress])}
	var err error
	if d.web, err = web.New(opts); err != nil {
		return nil, err
	}
	if value, ok := opts.Params[paramLogFormat]; ok {
		if d.layout, err = compile(value, &d.names); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", paramLogFormat, err)
		}
	}
	d.proxyManager = proxyManagerLayouts(&d.names)
	return d, nil
}

func variable(s string) string { return strings.Trim(s, "${} ") }

// sure is how sure the format is of a line of its own.
const sure = 0.95

// Detect tries the forms that are recognised by themselves on the first lines.
func (f format) Detect(sample []byte) float64 {
	dec, err := f.New(formats.Options{})
	if err != nil {
		return 0
	}
	d := dec.(*decoder)
	whole := sample
	lines, fit := 0, 0.0
	for len(sample) > 0 && lines < 20 {
		line, rest, complete := bytes.Cut(sample, []byte{'\n'})
		sample = rest
		line = bytes.TrimSpace(line)
		if inner, ok := peel(line); ok {
			line = bytes.TrimSpace(inner)
		}
		if len(line) == 0 || isErrorLog(line) || !complete && lines > 0 {
			continue
		}
		lines++
		d.fields.Reset()
		if d.fieldsOf(string(line), &d.fields) == nil && (line[0] != '{' || d.fields.Plausible() && !isOther(gjson.ParseBytes(line))) {
			fit += likely(&d.fields, d.rest)
		}
	}
	if lines == 0 {
		return 0
	}
	if fit == 0 {
		return d.wrapped().Detect(whole)
	}
	return sure * fit / float64(lines)
}

// likely weighs a line against the servers that write nearly the same: what follows the
// agent is Traefik's, or a virtual host stands in front, as in more of Apache's logs.
func likely(f *web.Fields, rest string) float64 {
	switch {
	case web.IsTraefik(rest):
		return 0.3
	case f.HasHost():
		return 0.9
	}
	return 1
}

type decoder struct {
	opts   formats.Options
	id     formats.Identity
	web    *web.Interpreter
	names  chosen
	layout *web.Layout
	fields web.Fields
	// rest is what followed the agent in the latest line.
	rest string

	proxyManager []*web.Layout
	// inner reads what is wrapped; nil until something is. piece says that a line goes on
	// that came in pieces.
	inner formats.Decoder
	piece bool
}

// TakesPieces says that long lines may come in pieces.
func (d *decoder) TakesPieces() {}

// Flush ends what is wrapped; of plain lines none is held back.
func (d *decoder) Flush(emit formats.Emit) error {
	if d.inner == nil {
		return nil
	}
	return d.inner.Flush(emit)
}

// Pending is where a wrapped record in hand began.
func (d *decoder) Pending() (int64, bool) {
	if d.inner == nil {
		return 0, false
	}
	return d.inner.Pending()
}

// State is empty.
func (d *decoder) State() ([]byte, error) { return nil, nil }

// Restore takes the empty state.
func (d *decoder) Restore([]byte) error { return nil }

// Decode reads one line.
func (d *decoder) Decode(line formats.Line, emit formats.Emit) error {
	if _, held := d.Pending(); held || d.piece || line.More {
		d.piece = line.More
		return d.unwrap(line, emit)
	}
	text := bytes.TrimSpace(line.Text)
	if len(text) == 0 {
		return nil
	}
	// The words of a syslog header could be taken for an address and a name.
	_, headed := peel(text)
	var e *vigil.Event
	err := error(errForm)
	if !headed {
		e, err = d.read(text)
	}
	if err != nil {
		if !wraps(text) {
			return err
		}
		given := false
		inner := d.unwrap(line, func(e *vigil.Event, from formats.Line) { given = true; emit(e, from) })
		if _, held := d.Pending(); inner == nil || given || held {
			return inner
		}
		return err
	}
	if e == nil {
		return nil
	}
	hash := formats.RecordHash(line.Text)
	e.ID = d.id.ID(line.Offset, hash)
	e.Origin = vigil.Origin{File: d.opts.File, Offset: line.Offset, Line: line.Number, Hash: hash}
	if err := e.Validate(); err != nil {
		return formats.Errorf("field", "%v", err)
	}
	emit(e, line)
	return nil
}

// unwrap gives a line to the reader of what is wrapped.
func (d *decoder) unwrap(line formats.Line, emit formats.Emit) error {
	if d.inner == nil {
		opts := d.opts
		opts.Params = nil
		inner, err := d.wrapped().New(opts)
		if err != nil {
			return err
		}
		d.inner = inner
	}
	return d.inner.Decode(line, emit)
}

// read makes an event of a line; nil when it is no access.
func (d *decoder) read(text []byte) (*vigil.Event, error) {
	if isErrorLog(text) {
		return nil, nil
	}
	d.fields.Reset()
	if err := d.fieldsOf(string(text), &d.fields); err != nil {
		return nil, err
	}
	e := vigil.NewEvent()
	if err := d.event(e); err != nil {
		return nil, err
	}
	return e, nil
}

var errForm = formats.Errorf("format", "the line has none of nginx's usual forms: give the log_format as nginx's configuration has it")

// fieldsOf reads a line: of the layout that was given, else of a form that tells itself.
func (d *decoder) fieldsOf(s string, f *web.Fields) error {
	d.rest = ""
	if d.layout != nil {
		return d.names.parse(d.layout, s, f)
	}
	switch s[0] {
	case '{':
		return d.names.json(s, f)
	case '[':
		for _, l := range d.proxyManager {
			if _, ok := l.Parse(s, f); ok {
				return nil
			}
			f.Reset()
		}
		return errForm
	}
	var ok bool
	if d.rest, ok = f.Combined(s); !ok || f.Get(web.FieldStatus) == "-" {
		return errForm
	}
	return nil
}

// isErrorLog tells a line of the error log: 2026/11/02 09:14:05 [error] ...
func isErrorLog(s []byte) bool {
	return len(s) > 21 && s[4] == '/' && s[7] == '/' && s[10] == ' ' && s[13] == ':' && s[16] == ':' && s[19] == ' ' && s[20] == '['
}

// event makes an event of the fields.
func (d *decoder) event(e *vigil.Event) error {
	if status := d.fields.Get(web.FieldStatus); !web.Digits(status) {
		return formats.Errorf("field", "the status is no number: give the log_format with $status")
	}
	err := d.web.Fill(e, &d.fields)
	var fe *formats.Error
	if errors.As(err, &fe) && fe.Code == "time" {
		return formats.Errorf("time", "the time can't be read: log $time_local, $time_iso8601 or $msec")
	}
	return err
}
