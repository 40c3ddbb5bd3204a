package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// The parameters that the formats of this family share.
const (
	ParamActor    = "actor"
	ParamSession  = "session"
	ParamAddress  = "address"
	ParamProxies  = "trusted_proxies"
	ParamTimezone = "timezone"
)

// Params says what the shared parameters are for.
func Params() map[string]string {
	return map[string]string{
		ParamActor:    "what names the user, before the user that the server itself authenticated",
		ParamSession:  "what names the session",
		ParamAddress:  "what holds the client's address",
		ParamProxies:  "how many public addresses at the end of X-Forwarded-For are proxies of one's own",
		ParamTimezone: "where times without a zone are meant, such as Europe/Berlin",
	}
}

// Interpreter makes events of fields.
type Interpreter struct {
	Times Times

	opts      formats.Options
	in        formats.Interner
	proxies   int
	templates []template

	// Buffers of one request.
	segments, names []string
	text            []byte
}

// New makes an Interpreter. Of the parameters it takes trusted_proxies and timezone.
func New(opts formats.Options) (*Interpreter, error) {
	p := &Interpreter{opts: opts}
	if value, ok := opts.Params[ParamProxies]; ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 16 {
			return nil, fmt.Errorf("parameter %s: %q is no number from 0 to 16", ParamProxies, value)
		}
		p.proxies = n
	}
	if value, ok := opts.Params[ParamTimezone]; ok {
		zone, err := time.LoadLocation(value)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %q is no time zone: write for example Europe/Berlin", ParamTimezone, value)
		}
		p.Times.Zone = zone
	}
	var err error
	p.templates, err = compileTemplates(opts.Mapping)
	return p, err
}

// Fill fills in e what the fields tell. The time must have been given; a status that is
// missing or - leaves the outcome open.
func (p *Interpreter) Fill(e *vigil.Event, f *Fields) error {
	at, ok := p.Times.Of(f)
	if !ok {
		return formats.Errorf("time", "the time can't be read")
	}
	e.Time = at
	if status := f.value[FieldStatus]; status != "" && status != "-" {
		n, err := strconv.Atoi(status)
		if err != nil || n < 0 || n > 999 {
			return formats.Errorf("field", "the status %.40q is no number", status)
		}
		e.Outcome = outcome(n)
	}
	var err error
	if e.Bytes, err = size(f.value[FieldBodyBytes], f.value[FieldBytes]); err != nil {
		return err
	}
	e.Source, e.Store = p.opts.Source, p.opts.Store
	if e.Store == "" {
		e.Store = p.clean(f.value[FieldServerName], 128)
	}
	e.IP = p.clean(f.Client(p.proxies), 64)
	e.UserAgent = p.clean(f.value[FieldUserAgent], 512)
	e.Session = p.clean(f.value[FieldSession], 256)
	e.Actor = p.actor(f, e.IP)
	p.request(e, f)
	return nil
}

func (p *Interpreter) actor(f *Fields, ip string) vigil.Actor {
	for _, k := range [...]Field{FieldActor, FieldUser} {
		if user := p.clean(f.value[k], 256); user != "" {
			return vigil.Actor{ID: user}
		}
	}
	if ip == "" {
		ip = "unknown"
	}
	return vigil.Actor{ID: ip, Kind: vigil.KindAnonymous}
}

// clean makes a value safe: - is nothing, \xNN becomes its character where
// that is printable UTF-8, and what is too long is cut.
func (p *Interpreter) clean(s string, most int) string {
	if s == "-" || s == "" {
		return ""
	}
	s = Unescape(s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return p.keep(s)
}

// keep returns a string that does not hold the line in memory.
func (p *Interpreter) keep(s string) string { return p.in.Keep(s) }

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
