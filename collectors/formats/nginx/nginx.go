// Package nginx reads nginx's access log: combined and what is like it, any
// log_format given as nginx has it, JSON, the ingress controller's form and the
// proxy manager's.
//
// A decoder holds no state between lines and keeps nothing back; one goroutine
// uses it at a time. What a line becomes: the method and path give the action
// and the resource, the status the outcome, the user the actor; without a user
// the address is an anonymous actor. Of the query only the names of its
// parameters are kept, and the values that the mapping calls ids. The log's
// request id is not taken as the event's id: a client can choose it, and would choose
// the same one each time so as to be counted once. Lines of nginx's error log are
// no accesses and yield nothing.
package nginx

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// Name is what the configuration calls the format.
const Name = "nginx"

// The parameters.
const (
	paramLogFormat = "log_format"
	paramActor     = "actor"
	paramSession   = "session"
	paramAddress   = "address"
	paramProxies   = "trusted_proxies"
)

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
	d := &decoder{opts: opts, id: formats.NewIdentity(opts.Source, opts.File)}
	for name, value := range opts.Params {
		switch name {
		case paramLogFormat:
			layout, err := compile(value)
			if err != nil {
				return nil, fmt.Errorf("parameter %s: %w", paramLogFormat, err)
			}
			d.layout = layout
		case paramActor:
			d.names.actor = variable(value)
		case paramSession:
			d.names.session = variable(value)
		case paramAddress:
			d.names.address = variable(value)
		case paramProxies:
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > 16 {
				return nil, fmt.Errorf("parameter %s: %q is no number from 0 to 16", paramProxies, value)
			}
			d.proxies = n
		default:
			return nil, fmt.Errorf("format nginx has no parameter %q: there are %s, %s, %s, %s and %s", name,
				paramLogFormat, paramActor, paramSession, paramAddress, paramProxies)
		}
	}
	paths, err := compilePaths(opts.Mapping)
	if err != nil {
		return nil, err
	}
	d.paths = paths
	d.proxyManager = proxyManagerLayouts()
	return d, nil
}

func variable(s string) string { return strings.Trim(s, "${} ") }

// Detect tries the forms that are recognised by themselves on the first lines.
func (f format) Detect(sample []byte) float64 {
	dec, err := f.New(formats.Options{})
	if err != nil {
		return 0
	}
	d := dec.(*decoder)
	lines, fit := 0, 0
	for len(sample) > 0 && lines < 20 {
		line, rest, whole := bytes.Cut(sample, []byte{'\n'})
		sample = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 || isErrorLog(line) || !whole && lines > 0 {
			continue
		}
		lines++
		d.fields.reset()
		if d.recognise(string(line)) == nil && d.fields.request() && d.fields.has(fieldStatus) && d.fields.hasTime() {
			fit++
		}
	}
	if lines == 0 {
		return 0
	}
	return 0.95 * float64(fit) / float64(lines)
}

type decoder struct {
	opts    formats.Options
	id      formats.Identity
	in      formats.Interner
	layout  *layout
	names   chosen
	proxies int
	paths   []pathTemplate
	fields  fields
	times   timeCache

	proxyManager []*layout
}

// Flush has nothing to give: no line is held back.
func (d *decoder) Flush(formats.Emit) error { return nil }

// Pending reports that nothing is held.
func (d *decoder) Pending() (int64, bool) { return 0, false }

// State is empty.
func (d *decoder) State() ([]byte, error) { return nil, nil }

// Restore takes the empty state.
func (d *decoder) Restore([]byte) error { return nil }

// Decode reads one line.
func (d *decoder) Decode(line formats.Line, emit formats.Emit) error {
	text := bytes.TrimSpace(line.Text)
	if len(text) == 0 || isErrorLog(text) {
		return nil
	}
	d.fields.reset()
	d.fields.names = d.names
	s := string(text)
	var err error
	if d.layout != nil {
		err = d.layout.parse(s, &d.fields)
	} else {
		err = d.recognise(s)
	}
	if err != nil {
		return err
	}
	e := vigil.NewEvent()
	if err := d.event(e); err != nil {
		return err
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

var errForm = formats.Errorf("format", "the line has none of nginx's usual forms: give the log_format as nginx's configuration has it")

// recognise reads a line of a form that tells itself.
func (d *decoder) recognise(s string) error {
	switch s[0] {
	case '{':
		return d.fields.json(s)
	case '[':
		for _, l := range d.proxyManager {
			if l.parse(s, &d.fields) == nil {
				return nil
			}
			d.fields.reset()
		}
		return errForm
	}
	return d.fields.anchored(s)
}

// isErrorLog tells a line of the error log: 2026/11/02 09:14:05 [error] ...
func isErrorLog(s []byte) bool {
	return len(s) > 21 && s[4] == '/' && s[7] == '/' && s[10] == ' ' && s[13] == ':' && s[16] == ':' && s[19] == ' ' && s[20] == '['
}

// event makes an event of the fields.
func (d *decoder) event(e *vigil.Event) error {
	f := &d.fields
	at, err := d.times.of(f)
	if err != nil {
		return err
	}
	e.Time = at
	status, err := strconv.Atoi(f.value[fieldStatus])
	if err != nil || status < 0 || status > 999 {
		return formats.Errorf("field", "the status is no number: give the log_format with $status")
	}
	e.Outcome = outcome(status)
	if e.Bytes, err = size(f.value[fieldBodyBytes], f.value[fieldBytes]); err != nil {
		return err
	}
	e.Source, e.Store = d.opts.Source, d.opts.Store
	if e.Store == "" {
		e.Store = d.text(f.value[fieldServerName], 128)
	}
	e.IP = d.text(clientAddress(f, d.proxies), 64)
	e.UserAgent = d.text(f.value[fieldUserAgent], 512)
	e.Session = d.text(f.value[fieldSession], 256)
	e.Actor = d.actor(e.IP)
	d.request(e)
	return nil
}

func (d *decoder) actor(ip string) vigil.Actor {
	for _, name := range [...]string{d.fields.value[fieldActor], d.fields.value[fieldUser]} {
		if user := d.text(name, 256); user != "" {
			return vigil.Actor{ID: user}
		}
	}
	if ip == "" {
		ip = "unknown"
	}
	return vigil.Actor{ID: ip, Kind: vigil.KindAnonymous}
}

// text cleans a value: nginx's "-" is nothing, \xNN becomes its character where
// that is printable UTF-8, and what is too long is cut.
func (d *decoder) text(s string, most int) string {
	if s == "-" || s == "" {
		return ""
	}
	s = unescape(s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return d.in.String([]byte(s))
}

func outcome(status int) vigil.Outcome {
	switch {
	case status == 401 || status == 403:
		return vigil.OutcomeDenied
	case status >= 400 || status < 100:
		return vigil.OutcomeError
	}
	return vigil.OutcomeSuccess
}

// size reads the first of the values that is given.
func size(values ...string) (int64, error) {
	for _, v := range values {
		if v == "" || v == "-" {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return vigil.Unknown, formats.Errorf("count", "the size %.40q is no number", v)
		}
		return n, nil
	}
	return vigil.Unknown, nil
}
