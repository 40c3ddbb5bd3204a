// Package envoy reads the access log of the Envoy proxy and of what is built on it, such
// as Istio: the default text, Istio's, any text format given as the configuration has
// it, and JSON, whose usual names are known. What a request becomes is said in package
// web. Connections that are not HTTP are no accesses to anything that is named, and
// yield nothing.
//
// Envoy writes headers as they came: whoever sends a quote in one could shift what
// follows. What a line holds in front of the headers counts as it stands; the client's
// address and agent only where the line has just as many values as it should.
package envoy

import (
	"fmt"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

const (
	paramLogFormat = "log_format"
	sure           = 0.95
)

// Format returns the format.
func Format() formats.Format {
	params := web.Params()
	params[paramLogFormat] = "the text_format_source, or meshConfig.accessLogFormat of Istio"
	return record.New(record.Spec{
		Name: "envoy",
		Tells: formats.Tells{
			Title: "Envoy and Istio", Group: formats.GroupWeb, Actor: formats.Partly, Subjects: formats.Partly,
			Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Partly,
			Note: "In a mesh a request is logged by each sidecar that it passes: read those of one side.",
		},
		JSON: jsonRecord, Text: func(line []byte) float64 {
			var f web.Fields
			return certainty(text(string(line), &f))
		},
		Params: params, New: newReader,
	})
}

type reader struct {
	web    *web.Interpreter
	layout *web.Layout
	names  chosen
	fields web.Fields
}

func newReader(opts formats.Options) (record.Reader, error) {
	r := &reader{names: chosen{command(opts.Params[web.ParamActor]), command(opts.Params[web.ParamSession]), command(opts.Params[web.ParamAddress])}}
	var err error
	if r.web, err = web.New(opts); err != nil {
		return nil, err
	}
	value, given := opts.Params[paramLogFormat]
	if !given {
		return r, nil
	}
	if r.layout, r.web.Times.Layout, err = compile(value, r.names); err != nil {
		return nil, fmt.Errorf("parameter %s: %w", paramLogFormat, err)
	}
	return r, nil
}

// Recognise tells a line, by the layout if one was given.
func (r *reader) Recognise(line []byte) float64 {
	var f web.Fields
	if r.layout == nil || ownLine(string(line)) {
		return certainty(text(string(line), &f))
	}
	if _, ok := r.layout.Parse(string(line), &f); !ok {
		return 0
	}
	return sure
}

func certainty(k kind) float64 {
	switch k {
	case none:
		return 0
	case ownLog:
		return record.IsRecord
	}
	return sure
}

// Read reads a record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	f := &r.fields
	f.Reset()
	switch {
	case rec.JSON.Exists():
		r.object(rec.JSON)
		if method := f.Get(web.FieldMethod); method == "" || method == "-" && f.Get(web.FieldURI) == "-" && zero(f.Get(web.FieldStatus)) {
			return nil
		}
	case r.layout != nil && !ownLine(string(rec.Text)):
		r.layout.Parse(string(rec.Text), f)
	case text(string(rec.Text), f) != request:
		return nil
	}
	if zero(f.Get(web.FieldStatus)) {
		// No answer was sent: who asked went away.
		f.Set(web.FieldStatus, "0")
	}
	if a := f.Get(web.FieldAddress); a != "" {
		f.Set(web.FieldAddress, web.WithoutPort(a))
	}
	e := rec.Event()
	if err := r.web.Fill(e, f); err != nil {
		return err
	}
	emit(e)
	return nil
}

func zero(status string) bool { return status == "0" || status == "-" || status == "" }

// kind is what a line of text is.
type kind int

const (
	none       kind = iota
	connection      // not of HTTP
	ownLog          // what Envoy or Istio's agent tells of itself
	request
)

// behind is how many values follow X-Forwarded-For: agent, request id, authority and
// upstream host, in Istio's form six words more.
const (
	behind      = 4
	behindIstio = behind + 6
)

// text reads a line of the default form, or of Istio's.
func text(s string, f *web.Fields) kind {
	if ownLine(s) {
		return ownLog
	}
	end := strings.IndexByte(s[:min(len(s), 40)], ']')
	if len(s) < 30 || s[0] != '[' || end < 20 || s[5] != '-' || s[11] != 'T' || !strings.HasPrefix(s[end:], `] "`) {
		return none
	}
	f.Set(web.FieldTimeISO, s[1:end])
	s = s[end+3:]
	n := requestEnd(s)
	if n < 0 {
		return none
	}
	line := s[:n]
	v := values(s[n+1:])
	if len(v) < 6 || len(v[0]) > 3 || v[0] != "-" && !web.Digits(v[0]) {
		return none
	}
	if line == "- - -" {
		return connection
	}
	f.Set(web.FieldRequest, line)
	f.Set(web.FieldStatus, v[0])
	at := forwarded(v)
	if at < 0 {
		return none
	}
	f.Set(web.FieldBodyBytes, v[at-3])
	switch len(v) - 1 - at {
	case behindIstio:
		f.Set(web.FieldAddress, v[at+8])
		fallthrough
	case behind:
		f.Set(web.FieldForwarded, unquote(v[at]))
		f.Set(web.FieldUserAgent, unquote(v[at+1]))
		if !f.Has(web.FieldAddress) {
			// Who connected is not logged: the last of the list is whom this proxy saw.
			list := f.Get(web.FieldForwarded)
			f.Set(web.FieldAddress, strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:]))
		}
	}
	return request
}

// ownLine tells [2026-11-02 09:14:11.310][1][info][main] ... of Envoy, and
// 2026-11-02T09:14:08.000000Z<tab>info<tab>... of Istio's agent.
func ownLine(s string) bool {
	if len(s) < 30 {
		return false
	}
	if s[0] == '[' && s[5] == '-' && s[11] == ' ' {
		return strings.HasPrefix(s[strings.IndexByte(s, ']')+1:], "[")
	}
	if s[4] != '-' || s[10] != 'T' {
		return false
	}
	_, rest, _ := strings.Cut(s[:min(len(s), 60)], "\t")
	level, _, tab := strings.Cut(rest, "\t")
	switch level {
	case "debug", "info", "warn", "warning", "error":
		return tab
	}
	return false
}

// requestEnd finds the quote behind the protocol. A path holds no space, whatever else
// is in it.
func requestEnd(s string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], `" `)
		if i < 0 {
			return -1
		}
		i += from
		last := s[strings.LastIndexByte(s[:i], ' ')+1 : i]
		if strings.HasPrefix(last, "HTTP/") && len(last) < 10 || last == "-" {
			return i
		}
		from = i + 1
	}
}

// maxValues bounds the values of a line that are looked at.
const maxValues = 64

// values cuts a line at its spaces, save those in quotes.
func values(s string) (out []string) {
	for s = strings.TrimSpace(s); s != "" && len(out) < maxValues; s = strings.TrimLeft(s, " ") {
		if s[0] != '"' {
			var v string
			v, s, _ = strings.Cut(s, " ")
			out = append(out, v)
			continue
		}
		end := strings.Index(s[1:], `" `)
		if end < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:end+2]), s[end+2:]
	}
	return out
}

// forwarded finds X-Forwarded-For: the first value in quotes behind four numbers.
func forwarded(v []string) int {
next:
	for i := 6; i+1 < len(v); i++ {
		if v[i][0] != '"' || v[i+1][0] != '"' {
			continue
		}
		for _, n := range v[i-4 : i] {
			if n != "-" && !web.Digits(n) {
				continue next
			}
		}
		return i
	}
	return -1
}

func unquote(s string) string { return strings.Trim(s, `"`) }
