// Package apache reads the access log of Apache's HTTP server: common, combined, with
// the virtual host in front, the log of SSL requests, and any LogFormat given as the
// configuration has it, JSON ones too. Lines of the error log are no accesses.
//
// A line without LogFormat looks as nginx's does; where the name of the format is not
// given, what is certain to be Apache's (a virtual host with its port, the error log of
// version 2) decides. What a request becomes is said in package web.
package apache

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// paramLogFormat is the parameter that this format has of its own.
const paramLogFormat = "log_format"

// How sure a line makes: that others write rather than Apache, that nginx might have
// written too, and that Apache alone writes.
const (
	unlike = 0.4
	maybe  = 0.9
	sure   = 0.97
)

// Format returns the format.
func Format() formats.Format {
	params := web.Params()
	params[paramLogFormat] = "the string of the LogFormat or CustomLog directive"
	return record.New(record.Spec{
		Name: "apache",
		Tells: formats.Tells{
			Title: "Apache HTTP Server", Group: formats.GroupWeb, Actor: formats.Partly, Subjects: formats.Partly,
			Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Who it was is told where Apache authenticates, or LogFormat has the user's header.",
		},
		Text:   recognise,
		Params: params,
		New:    newReader,
	})
}

// recognise tells lines of the forms that need no LogFormat.
func recognise(line []byte) float64 {
	if isErrorLog(line) {
		return sure
	}
	var f web.Fields
	if sslRequest(string(line), &f) {
		return sure
	}
	rest, ok := f.Combined(string(line))
	switch {
	case !ok || wrapped(line):
		return 0
	case web.IsTraefik(rest):
		return unlike
	case f.Get(web.FieldStatus) == "-", isIngress(rest), f.Has(web.FieldForwarded):
		return unlike
	case hasPort(line):
		return sure
	}
	return maybe
}

// isIngress tells what nginx's ingress controller writes behind the agent.
func isIngress(rest string) bool {
	return strings.Contains(rest, " [") && rest != "" && rest[0] >= '0' && rest[0] <= '9'
}

// hasPort tells a virtual host with its port in front of the line.
func hasPort(line []byte) bool {
	first, _, _ := bytes.Cut(line, []byte{' '})
	host, port, ok := bytes.Cut(first, []byte{':'})
	return ok && len(host) > 0 && web.Digits(string(port)) && bytes.ContainsAny(host, "abcdefghijklmnopqrstuvwxyz")
}

// wrapped tells a line whose start is another's: of syslog, or of a container's log.
func wrapped(t []byte) bool {
	return t[0] == '<' || len(t) > 26 && t[4] == '-' && t[7] == '-' && t[10] == 'T' ||
		len(t) > 16 && t[3] == ' ' && t[6] == ' ' && t[9] == ':' && t[12] == ':'
}

// isErrorLog tells a line of the error log: [Thu Nov 02 09:14:05.880562 2026] [...
func isErrorLog(s []byte) bool {
	end := bytes.IndexByte(s[:min(len(s), 40)], ']')
	return end > 22 && s[0] == '[' && s[4] == ' ' && s[8] == ' ' && s[11] == ' ' && s[14] == ':' && bytes.HasPrefix(s[end:], []byte("] ["))
}

// sslRequest reads a line of ssl_request_log: %t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x "%r" %b.
func sslRequest(s string, f *web.Fields) bool {
	if len(s) < 30 || s[0] != '[' || s[12] != ':' || s[27] != ']' {
		return false
	}
	words := strings.SplitN(s[28:], " ", 5) // begins with a space
	if len(words) != 5 || words[2] != "-" && !strings.HasPrefix(words[2], "TLS") && !strings.HasPrefix(words[2], "SSL") {
		return false
	}
	request, size, ok := web.Quoted(words[4])
	if size = strings.TrimSpace(size); !ok || size != "-" && !web.Digits(size) {
		return false
	}
	f.Set(web.FieldTimeLocal, s[1:27])
	f.Set(web.FieldAddress, words[1])
	f.Set(web.FieldRequest, request)
	f.Set(web.FieldBodyBytes, size)
	return true
}

type reader struct {
	web    *web.Interpreter
	layout *layout
	fields web.Fields
}

func newReader(opts formats.Options) (record.Reader, error) {
	r := &reader{}
	var err error
	if r.web, err = web.New(opts); err != nil {
		return nil, err
	}
	names := chosen{opts.Params[web.ParamActor], opts.Params[web.ParamSession], opts.Params[web.ParamAddress]}
	value, given := opts.Params[paramLogFormat]
	if !given {
		if names != (chosen{}) {
			return nil, fmt.Errorf("the parameters %s, %s and %s need %s", web.ParamActor, web.ParamSession, web.ParamAddress, paramLogFormat)
		}
		return r, nil
	}
	if r.layout, err = compile(value, names); err != nil {
		return nil, fmt.Errorf("parameter %s: %w", paramLogFormat, err)
	}
	r.web.Times.Layout = r.layout.time
	return r, nil
}

// Recognise tells a line of the layout that was given.
func (r *reader) Recognise(line []byte) float64 {
	switch {
	case r.layout == nil:
		// Here the format is settled: a line that others write too is a record.
		if recognise(line) > 0 {
			return sure
		}
	case isErrorLog(line) || r.layout.line != nil && (!wrapped(line) || r.fits(line)):
		return sure
	}
	return 0
}

// RecogniseObject tells an object of the layout that was given, if that is JSON.
func (r *reader) RecogniseObject(v gjson.Result) float64 {
	if r.layout != nil && r.layout.is(v) {
		return sure
	}
	return 0
}

// fits says that a line that looks wrapped is of the layout as it stands.
func (r *reader) fits(line []byte) bool {
	if r.read(line) != nil {
		return false
	}
	_, ok := r.web.Times.Of(&r.fields)
	return ok
}

// Read reads a line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	if isErrorLog(rec.Text) {
		return nil
	}
	if err := r.read(rec.Text); err != nil {
		return err
	}
	e := rec.Event()
	if err := r.web.Fill(e, &r.fields); err != nil {
		return err
	}
	emit(e)
	return nil
}

// read takes the fields out of a line.
func (r *reader) read(line []byte) error {
	r.fields.Reset()
	s := string(line)
	if r.layout == nil {
		rest, ok := r.fields.Combined(s)
		if !ok {
			r.fields.Reset()
			sslRequest(s, &r.fields)
		} else if list, found := strings.CutPrefix(rest, `X-Forwarded-For="`); found {
			// A form that some add behind combined.
			list, _, _ = strings.Cut(list, `"`)
			r.fields.Set(web.FieldForwarded, list)
		}
	} else if failed, ok := r.layout.parse(s, &r.fields); !ok {
		return formats.Errorf("format", "the line ends or differs where %s should stand: compare log_format with Apache's configuration", failed)
	}
	// %b writes - where no byte was sent.
	if r.fields.Get(web.FieldBodyBytes) == "-" {
		r.fields.Set(web.FieldBodyBytes, "0")
	}
	return nil
}
