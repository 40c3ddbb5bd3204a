// Package awslb reads what stands before an application on AWS: the access logs of
// Application, Network and Classic Load Balancers, CloudFront's standard and real-time
// logs, and API Gateway's access logs, as JSON or in the common form.
//
// Each line tells by its look what wrote it. Of CloudFront's files the line that names
// the columns is remembered, over a restart too; without one the standard order is taken.
// None of these knows who signed in to the application behind, save API Gateway: there
// the address is the actor. The request becomes an event as package web has it.
package awslb

import (
	"maps"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// Name is what the configuration calls the format.
const Name = "aws-lb"

// The format's own parameters.
const (
	paramFields = "fields"
	paramActor  = "actor"
)

// New returns the format.
func New() formats.Format {
	params := map[string]string{
		paramFields:       "CloudFront's columns in their order, separated by commas, for real-time logs, which do not name them",
		paramActor:        "API Gateway's key that holds the user, such as sub, where it is none of the usual ones",
		web.ParamProxies:  web.Params()[web.ParamProxies],
		web.ParamTimezone: web.Params()[web.ParamTimezone],
	}
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "AWS load balancers, CloudFront, API Gateway", Group: formats.GroupWeb,
			Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Only API Gateway can tell who signed in; for the others the address is the actor.",
		},
		Params: params,
		Text:   func(line []byte) float64 { return sure(string(line)) },
		JSON:   sureJSON,
		New: func(opts formats.Options) (record.Reader, error) {
			own := opts
			own.Params = maps.Clone(opts.Params)
			w, err := web.New(own)
			if err != nil {
				return nil, err
			}
			r := &reader{web: w, actor: opts.Params[paramActor], columns: standard}
			if list := opts.Params[paramFields]; list != "" {
				if r.columns, err = columnsOf(strings.Split(list, ",")); err != nil {
					return nil, err
				}
				r.told = true
			}
			return r, nil
		},
	})
}

type reader struct {
	web    *web.Interpreter
	actor  string
	actors aws.Actors
	// columns are CloudFront's, told that the parameters name them.
	columns []column
	told    bool
}

// Recognise is sure of what Spec.Text is sure of, and of any line of columns once the
// settings name those.
func (r *reader) Recognise(line []byte) float64 {
	if s := string(line); !r.told || kindOf(s) != kindCloudFront {
		return sure(s)
	}
	return 0.95
}

// kind is what wrote a line.
type kind int

const (
	kindNone kind = iota
	kindALB
	kindClassic
	kindNLB
	kindHeader // of CloudFront
	kindCloudFront
	kindGateway // API Gateway in the common form
)

// kindOf looks at a line.
func kindOf(s string) kind {
	first, rest, _ := strings.Cut(s, " ")
	switch first {
	case "http", "https", "h2", "grpc", "grpcs", "ws", "wss":
		if at, rest, ok := strings.Cut(rest, " "); ok && isTime(at) && strings.HasPrefix(rest, "app/") {
			return kindALB
		}
	case "tls", "tcp", "udp", "quic":
		_, rest, _ = strings.Cut(rest, " ")
		if at, rest, ok := strings.Cut(rest, " "); ok && isTime(at) && strings.HasPrefix(rest, "net/") {
			return kindNLB
		}
	case "#Version:", "#Fields:":
		if strings.HasPrefix(s, "#Version: 1.0") && len(s) < 20 || strings.Contains(s, "x-edge-") {
			return kindHeader
		}
	}
	switch {
	case isTime(first) && classic(rest):
		return kindClassic
	case strings.Count(s, "\t") >= 3 && digit(s[0]):
		return kindCloudFront
	case strings.Contains(s, `]"`) && commonForm(s):
		return kindGateway
	}
	return kindNone
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// isTime says that s begins as ISO 8601 has it.
func isTime(s string) bool {
	return len(s) >= 19 && s[4] == '-' && s[7] == '-' && s[10] == 'T' && s[13] == ':' && s[16] == ':'
}

// classic says that what stands behind the time is of a Classic Load Balancer: its name,
// two addresses with ports, three spans of time.
func classic(s string) bool {
	f := strings.SplitN(s, " ", 8)
	if len(f) < 8 || formats.Address(f[1]) == "" || !strings.Contains(f[1], ":") {
		return false
	}
	for _, span := range f[3:6] {
		if strings.Trim(span, "0123456789.-") != "" || span == "" {
			return false
		}
	}
	return f[2] == "-" || formats.Address(f[2]) != ""
}

func sure(line string) float64 {
	switch kindOf(line) {
	case kindALB, kindNLB, kindClassic:
		return 0.95
	case kindHeader:
		return 0.9
	case kindGateway:
		return 0.9
	case kindCloudFront:
		// A date and a time, and in the standard order an edge's name and an address.
		f := strings.SplitN(line, "\t", 6)
		if len(f) < 4 || len(f[0]) != 10 || f[0][4] != '-' || len(f[1]) != 8 || f[1][2] != ':' || f[1][5] != ':' {
			return 0
		}
		if len(f) == 6 && edge(f[2]) && formats.Address(f[4]) != "" {
			return 0.95
		}
		return 0.7
	}
	return 0
}

// edge says that s is the name of an edge location: DUB2, FRA50-C1.
func edge(s string) bool {
	if len(s) < 4 || len(s) > 12 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return digit(s[3])
}

func sureJSON(v gjson.Result) float64 {
	switch {
	case v.Get("x-edge-request-id").Exists() || v.Get("x-edge-location").Exists():
		return 0.95
	case v.Get("requestId").Exists() && (v.Get("requestTime").Exists() || v.Get("requestTimeEpoch").Exists()) && v.Get("status").Exists() &&
		(v.Get("httpMethod").Exists() || v.Get("routeKey").Exists() || v.Get("resourcePath").Exists()):
		return 0.9
	case v.Get("requestId").Exists() && v.Get("apiId").Exists() && v.Get("status").Exists():
		return 0.8
	}
	return 0
}

// Read makes the event of one line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	if rec.JSON.Exists() {
		if rec.JSON.Get("x-edge-request-id").Exists() || rec.JSON.Get("x-edge-location").Exists() {
			return r.cloudFrontJSON(rec, emit)
		}
		return r.gateway(rec, emit)
	}
	s := string(rec.Text)
	switch kindOf(s) {
	case kindALB:
		return r.alb(rec, s, emit)
	case kindClassic:
		return r.classic(rec, s, emit)
	case kindNLB:
		return r.nlb(rec, s, emit)
	case kindHeader:
		return r.header(s)
	case kindCloudFront:
		return r.cloudFront(rec, s, emit)
	case kindGateway:
		return r.common(rec, s, emit)
	}
	return formats.Errorf("format", "the line is of no load balancer, CloudFront or API Gateway")
}

// fill makes an event of a request.
func (r *reader) fill(rec *record.Record, f *web.Fields) (*vigil.Event, error) {
	e := rec.Event()
	if err := r.web.Fill(e, f); err != nil {
		return nil, err
	}
	e.UserAgent, e.Actor.ID = rec.Clean(e.UserAgent, 512), rec.Clean(e.Actor.ID, 256)
	return e, nil
}

// State is the columns that the file's head named.
func (r *reader) State() ([]byte, error) {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.name
	}
	return []byte(strings.Join(names, " ")), nil
}

// Restore takes it back.
func (r *reader) Restore(state []byte) error {
	if len(state) == 0 || r.told {
		return nil
	}
	columns, err := columnsOf(strings.Fields(string(state)))
	if err == nil {
		r.columns = columns
	}
	return err
}
