package native

import (
	"bytes"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"vigil"
	"vigil/collectors/formats"
)

// key is one key that the form knows.
type key uint8

const (
	keyTime key = iota + 1
	keyReceived
	keyID
	keySource
	keyActor
	keyActorKind
	keyRole
	keyTeam
	keyTenant
	keyApp
	keyPrincipal
	keySession
	keyConversation
	keyAction
	keyStore
	keyResource
	keyResourceClass
	keyResourceTenant
	keySubjects
	keySubjectCount
	keyRows
	keyBytes
	keyLimit
	keyFields
	keyUnbounded
	keyTicket
	keyPurpose
	keyIP
	keyNetwork
	keyCountry
	keyASN
	keyUserAgent
	keyOutcome
	keyShape
	keyDestination
	keyLate
	keyStep
)

// keyNames are the keys as they stand in the line.
var keyNames = [...]string{
	keyTime: "time", keyReceived: "received", keyID: "id", keySource: "source",
	keyActor: "actor", keyActorKind: "actor_kind", keyRole: "role", keyTeam: "team",
	keyTenant: "tenant", keyApp: "app", keyPrincipal: "principal", keySession: "session",
	keyConversation: "conversation", keyAction: "action", keyStore: "store",
	keyResource: "resource", keyResourceClass: "resource_class", keyResourceTenant: "resource_tenant",
	keySubjects: "subjects", keySubjectCount: "subject_count", keyRows: "rows", keyBytes: "bytes",
	keyLimit: "limit", keyFields: "fields", keyUnbounded: "unbounded", keyTicket: "ticket",
	keyPurpose: "purpose", keyIP: "ip", keyNetwork: "network", keyCountry: "country", keyASN: "asn",
	keyUserAgent: "user_agent", keyOutcome: "outcome", keyShape: "shape",
	keyDestination: "destination", keyLate: "late", keyStep: "step",
}

func (k key) String() string { return keyNames[k] }

// key looks up the name in raw, a JSON string. An escaped name is unquoted
// first, so that "\u0061ctor" is not a way around the check of double keys.
func (d *decoder) key(raw jsontext.Value) (key, bool) {
	name := []byte(raw[1 : len(raw)-1])
	if bytes.IndexByte(name, '\\') >= 0 {
		d.scratch, _ = jsontext.AppendUnquote(d.scratch[:0], []byte(raw))
		name = d.scratch
	}
	switch string(name) {
	case "time":
		return keyTime, true
	case "received":
		return keyReceived, true
	case "id":
		return keyID, true
	case "source":
		return keySource, true
	case "actor":
		return keyActor, true
	case "actor_kind":
		return keyActorKind, true
	case "role":
		return keyRole, true
	case "team":
		return keyTeam, true
	case "tenant":
		return keyTenant, true
	case "app":
		return keyApp, true
	case "principal":
		return keyPrincipal, true
	case "session":
		return keySession, true
	case "conversation":
		return keyConversation, true
	case "action":
		return keyAction, true
	case "store":
		return keyStore, true
	case "resource":
		return keyResource, true
	case "resource_class":
		return keyResourceClass, true
	case "resource_tenant":
		return keyResourceTenant, true
	case "subjects":
		return keySubjects, true
	case "subject_count":
		return keySubjectCount, true
	case "rows":
		return keyRows, true
	case "bytes":
		return keyBytes, true
	case "limit":
		return keyLimit, true
	case "fields":
		return keyFields, true
	case "unbounded":
		return keyUnbounded, true
	case "ticket":
		return keyTicket, true
	case "purpose":
		return keyPurpose, true
	case "ip":
		return keyIP, true
	case "network":
		return keyNetwork, true
	case "country":
		return keyCountry, true
	case "asn":
		return keyASN, true
	case "user_agent":
		return keyUserAgent, true
	case "outcome":
		return keyOutcome, true
	case "shape":
		return keyShape, true
	case "destination":
		return keyDestination, true
	case "step":
		return keyStep, true
	case "late":
		return keyLate, true
	}
	return 0, false
}

// value reads the value of key k into e.
func (d *decoder) value(k key, e *vigil.Event) error {
	switch k {
	case keySubjects:
		list, total, err := d.list(k, vigil.MaxSubjects)
		if err != nil {
			return err
		}
		e.Subjects = list
		if total > vigil.MaxSubjects {
			// The rest is known by number only.
			e.SubjectCount = max(e.SubjectCount, total)
		}
		return nil
	case keyFields:
		list, _, err := d.list(k, maxFields)
		e.Fields = list
		return err
	case keyDestination:
		return d.destination(e)
	}
	raw, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() == 'n' {
		return nil
	}
	switch k {
	case keyTime:
		e.Time, err = d.time(k, raw)
	case keyReceived:
		e.Received, err = d.time(k, raw)
	case keyID:
		e.ID, err = d.text(k, raw, false)
	case keySource:
		e.Source, err = d.text(k, raw, true)
	case keyActor:
		e.Actor.ID, err = d.text(k, raw, true)
	case keyActorKind:
		var s string
		s, err = d.text(k, raw, true)
		e.Actor.Kind = vigil.ActorKind(s)
	case keyRole:
		e.Actor.Role, err = d.text(k, raw, true)
	case keyTeam:
		e.Actor.Team, err = d.text(k, raw, true)
	case keyTenant:
		e.Actor.Tenant, err = d.text(k, raw, true)
	case keyApp:
		e.Actor.App, err = d.text(k, raw, true)
	case keyPrincipal:
		e.Principal, err = d.text(k, raw, true)
	case keySession:
		e.Session, err = d.text(k, raw, true)
	case keyConversation:
		e.Conversation, err = d.text(k, raw, true)
	case keyAction:
		var s string
		s, err = d.text(k, raw, true)
		e.Action = vigil.Action(s)
	case keyStore:
		e.Store, err = d.text(k, raw, true)
	case keyResource:
		e.Resource, err = d.text(k, raw, true)
	case keyResourceClass:
		e.ResourceClass, err = d.text(k, raw, true)
	case keyResourceTenant:
		e.ResourceTenant, err = d.text(k, raw, true)
	case keySubjectCount:
		var n int64
		n, err = count(k, raw)
		e.SubjectCount = max(e.SubjectCount, n)
	case keyRows:
		e.Rows, err = count(k, raw)
	case keyBytes:
		e.Bytes, err = count(k, raw)
	case keyLimit:
		e.Limit, err = count(k, raw)
	case keyUnbounded:
		e.Unbounded, err = boolean(k, raw)
	case keyTicket:
		e.Ticket, err = d.text(k, raw, true)
	case keyPurpose:
		e.Purpose, err = d.text(k, raw, true)
	case keyIP:
		e.IP, err = d.text(k, raw, true)
	case keyNetwork:
		e.Network, err = d.text(k, raw, true)
	case keyCountry:
		e.Country, err = d.text(k, raw, true)
	case keyASN:
		e.ASN, err = d.text(k, raw, true)
	case keyUserAgent:
		e.UserAgent, err = d.text(k, raw, true)
	case keyOutcome:
		var s string
		s, err = d.text(k, raw, true)
		e.Outcome = vigil.Outcome(s)
	case keyShape:
		e.Shape, err = d.text(k, raw, true)
	case keyLate:
		e.Late, err = boolean(k, raw)
	case keyStep:
		e.Step, err = step(k, raw)
	}
	return err
}

// text reads a string; a number stands for its digits, because many systems
// number their users and conversations. shared says that the value is likely to
// come again.
func (d *decoder) text(k key, raw jsontext.Value, shared bool) (string, error) {
	var b []byte
	switch raw.Kind() {
	case '"':
		b = raw[1 : len(raw)-1]
		if bytes.IndexByte(b, '\\') >= 0 {
			var err error
			if d.scratch, err = jsontext.AppendUnquote(d.scratch[:0], []byte(raw)); err != nil {
				return "", formats.Errorf("json", "%q holds a bad escape", k.String())
			}
			b = d.scratch
		}
	case '0':
		b = raw
	default:
		return "", formats.Errorf("field", "%q must be a string", k.String())
	}
	if len(b) > maxText {
		return "", formats.Errorf("field", "%q has %d bytes, at most %d", k.String(), len(b), maxText)
	}
	if shared {
		return d.in.String(b), nil
	}
	return string(b), nil
}

// slabSize is how many list entries are allocated at once.
const slabSize = 512

// list reads an array of strings, the first most of them, and tells how many
// there were.
func (d *decoder) list(k key, most int) ([]string, int64, error) {
	switch d.json.PeekKind() {
	case 'n':
		_, err := d.json.ReadToken()
		return nil, 0, err
	case '[':
	default:
		if err := d.json.SkipValue(); err != nil {
			return nil, 0, err
		}
		return nil, 0, formats.Errorf("field", "%q must be a list of strings", k.String())
	}
	if _, err := d.json.ReadToken(); err != nil {
		return nil, 0, err
	}
	var own []string
	start := len(d.slab)
	var total int64
	for d.json.PeekKind() != ']' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return nil, 0, err
		}
		total++
		if total > int64(most) {
			continue
		}
		s, err := d.text(k, raw, true)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case own != nil:
			own = append(own, s)
		case len(d.slab) < cap(d.slab):
			d.slab = append(d.slab, s)
		case len(d.slab)-start < slabSize/4:
			// The slab is full: a short list moves to a new one.
			fresh := make([]string, 0, slabSize)
			fresh = append(fresh, d.slab[start:]...)
			fresh = append(fresh, s)
			d.slab, start = fresh, 0
		default:
			own = append(append(make([]string, 0, slabSize), d.slab[start:]...), s)
			d.slab = d.slab[:start]
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return nil, 0, err
	}
	if own != nil {
		return own, total, nil
	}
	if len(d.slab) == start {
		return nil, total, nil
	}
	return d.slab[start:len(d.slab):len(d.slab)], total, nil
}

// destination reads {"kind":..,"network":..,"region":..}.
func (d *decoder) destination(e *vigil.Event) error {
	if d.json.PeekKind() == 'n' {
		_, err := d.json.ReadToken()
		return err
	}
	if d.json.PeekKind() != '{' {
		if err := d.json.SkipValue(); err != nil {
			return err
		}
		return formats.Errorf("field", `"destination" must be an object with kind, network and region`)
	}
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	to := &vigil.Destination{}
	for d.json.PeekKind() != '}' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		name, err := d.text(keyDestination, raw, true)
		if err != nil {
			return err
		}
		var into *string
		switch name {
		case "kind":
			into = &to.Kind
		case "network":
			into = &to.Network
		case "region":
			into = &to.Region
		}
		if raw, err = d.json.ReadValue(); err != nil {
			return err
		}
		if into == nil || raw.Kind() == 'n' {
			continue
		}
		if *into, err = d.text(keyDestination, raw, true); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	if *to != (vigil.Destination{}) {
		e.Destination = to
	}
	return err
}

func boolean(k key, raw jsontext.Value) (bool, error) {
	switch raw.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, formats.Errorf("field", "%q must be true or false", k.String())
}

// step reads how an id lies to the one before it.
func step(k key, raw jsontext.Value) (vigil.Step, error) {
	n, err := strconv.Atoi(string(raw))
	if s := vigil.Step(n); err == nil && n == int(s) && s.Valid() {
		return s, nil
	}
	return vigil.StepUnknown, formats.Errorf("field", "%q must be -1 (fell), 0 (unknown), 1 (the next) or 2 (rose)", k.String())
}

// count reads a whole number that is not negative.
func count(k key, raw jsontext.Value) (int64, error) {
	bad := func() (int64, error) {
		return vigil.Unknown, formats.Errorf("count", "%q must be a whole number, 0 or more: leave it out when it is unknown", k.String())
	}
	if raw.Kind() != '0' || len(raw) > 18 {
		return bad()
	}
	var n int64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return bad()
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}

// time reads RFC 3339 with any offset, or a number of seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by their size.
func (d *decoder) time(k key, raw jsontext.Value) (time.Time, error) {
	if raw.Kind() == '0' {
		if t, ok := epoch(raw); ok {
			return t, nil
		}
	}
	if raw.Kind() == '"' {
		s, err := d.text(k, raw, false)
		if err != nil {
			return time.Time{}, err
		}
		if t, ok := timestamp(s); ok {
			return t, nil
		}
	}
	return time.Time{}, formats.Errorf("time",
		"%q must be RFC 3339 with an offset, such as 2026-11-02T09:14:05.123Z, or seconds since 1970", k.String())
}

// timestamp reads RFC 3339, with a space for the T if need be.
func timestamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && len(s) > 10 && s[10] == ' ' {
		t, err = time.Parse(time.RFC3339Nano, s[:10]+"T"+s[11:])
	}
	return t.UTC(), err == nil
}

// epoch reads a plain decimal number since 1970 without going through floating
// point, which has too few digits for nanoseconds.
func epoch(raw []byte) (time.Time, bool) {
	whole, fraction, _ := bytes.Cut(raw, []byte{'.'})
	if len(whole) == 0 || len(whole) > 19 {
		return time.Time{}, false
	}
	var n int64
	for _, c := range whole {
		if c < '0' || c > '9' || n > (1<<63-1-9)/10 {
			return time.Time{}, false
		}
		n = n*10 + int64(c-'0')
	}
	// One unit in nanoseconds: seconds until the year 5138, then milliseconds,
	// and so on, each a thousand times smaller.
	unit := int64(time.Second)
	for limit := int64(1e11); n >= limit && unit > 1; limit *= 1000 {
		unit /= 1000
	}
	perSecond := int64(time.Second) / unit
	nanos := n % perSecond * unit
	for _, c := range fraction {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		unit /= 10
		nanos += int64(c-'0') * unit
	}
	return time.Unix(n/perSecond, nanos).UTC(), true
}
