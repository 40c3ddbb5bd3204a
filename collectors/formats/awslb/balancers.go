package awslb

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// tokens takes a line of words and quoted texts apart.
type tokens struct {
	rest string
	ok   bool
}

// next is the next word or quoted text. A text that does not end makes the line one that
// is cut: ok is false from then on.
func (t *tokens) next() string {
	t.rest = strings.TrimPrefix(t.rest, " ")
	if t.rest == "" {
		t.ok = false
		return ""
	}
	if t.rest[0] == '"' {
		v, rest, ok := web.Quoted(t.rest)
		t.rest, t.ok = rest, t.ok && ok
		return v
	}
	var v string
	v, t.rest, _ = strings.Cut(t.rest, " ")
	return v
}

func errCut(of string) error {
	return formats.Errorf("format", "the line of %s ends too early", of)
}

// short is a balancer's name without its kind and the id behind it: app/NAME/ID.
func short(name string) string {
	if parts := strings.Split(name, "/"); len(parts) == 3 {
		return parts[1]
	}
	return name
}

// alb reads the line of an Application Load Balancer; the order is that of "Access logs
// for your Application Load Balancer".
func (r *reader) alb(rec *record.Record, s string, emit func(*vigil.Event)) error {
	t := tokens{rest: s, ok: true}
	t.next() // the protocol
	return r.request(rec, &t, "an Application Load Balancer", emit)
}

// classic reads the line of a Classic Load Balancer.
func (r *reader) classic(rec *record.Record, s string, emit func(*vigil.Event)) error {
	t := tokens{rest: s, ok: true}
	return r.request(rec, &t, "a Classic Load Balancer", emit)
}

// request reads what both have in common: from the time to the user agent.
func (r *reader) request(rec *record.Record, t *tokens, of string, emit func(*vigil.Event)) error {
	var f web.Fields
	at, name, client := t.next(), t.next(), t.next()
	for range 4 { // the target, and three spans of time
		t.next()
	}
	status, _ := t.next(), t.next()
	_, sent := t.next(), t.next()
	line := t.next()
	if !t.ok {
		return errCut(of)
	}
	agent := t.next()
	f.Set(web.FieldTimeISO, at)
	f.Set(web.FieldServerName, short(name))
	f.Set(web.FieldAddress, formats.Address(client))
	f.Set(web.FieldBytes, sent)
	f.Set(web.FieldUserAgent, agent)
	if strings.HasPrefix(line, "- - -") && status == "-" {
		return r.flow(rec, &f, emit)
	}
	f.Set(web.FieldStatus, status)
	f.Set(web.FieldRequest, line)
	e, err := r.fill(rec, &f)
	if err != nil {
		return err
	}
	emit(e)
	return nil
}

// nlb reads the line of a Network Load Balancer: a TLS connection.
func (r *reader) nlb(rec *record.Record, s string, emit func(*vigil.Event)) error {
	t := tokens{rest: s, ok: true}
	t.next()
	t.next()
	at, name, _, client := t.next(), t.next(), t.next(), t.next()
	for range 3 { // the target, two spans of time
		t.next()
	}
	_, sent := t.next(), t.next()
	if !t.ok {
		return errCut("a Network Load Balancer")
	}
	var f web.Fields
	f.Set(web.FieldTimeISO, at)
	f.Set(web.FieldServerName, short(name))
	f.Set(web.FieldAddress, formats.Address(client))
	f.Set(web.FieldBytes, sent)
	return r.flow(rec, &f, emit)
}

// flow is a connection of which nothing is known but its ends and its bytes.
func (r *reader) flow(rec *record.Record, f *web.Fields, emit func(*vigil.Event)) error {
	e := rec.Event()
	var ok bool
	if e.Time, ok = formats.Time(f.Get(web.FieldTimeISO), nil); !ok {
		return formats.ErrTime("the time")
	}
	name := rec.Clean(f.Get(web.FieldServerName), 128)
	if e.Store == "" {
		e.Store = name
	}
	e.IP = rec.Clean(f.Get(web.FieldAddress), 64)
	e.Actor = vigil.Actor{ID: e.IP, Kind: vigil.KindAnonymous}
	if e.IP == "" {
		e.Actor.ID = "unknown"
	}
	e.Action, e.Resource, e.Shape = vigil.ActionOther, name, "connection"
	e.Bytes = formats.Count(f.Get(web.FieldBytes))
	emit(e)
	return nil
}
