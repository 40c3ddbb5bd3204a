// Package cloudtrail reads AWS CloudTrail: management events, data events of S3, DynamoDB,
// Lex, Bedrock and other stores, network events and console sign-ins, in the files that a
// trail delivers ({"Records": [...]}), as EventBridge, CloudWatch Logs or Kinesis carry
// them, and as the command line's lookup-events gives them.
//
// A record names its actor fully. What is joined is who began a role's session: sessions
// begun by a service, or through a company's sign-in, are known as such from their
// AssumeRole record on. At most maxSessions are remembered, the least recently used are
// forgotten first.
package cloudtrail

import (
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "cloudtrail"

const (
	maxSessions = 4096
	// shapesKept bounds the statement shapes that are remembered.
	shapesKept = 1024
)

// New returns the format.
func New() formats.Format {
	statements := sync.OnceValue(func() *statement.Parser { return statement.NewParser(shapesKept) })
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "AWS CloudTrail", Group: formats.GroupClouds,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Reads of objects, items and chats are told only by data events, which must be switched on; no record tells how many items came back.",
		},
		JSON: sure,
		New: func(opts formats.Options) (record.Reader, error) {
			keys, err := aws.NewKeys(opts.Mapping)
			if err != nil {
				return nil, err
			}
			return &reader{opts: opts, keys: keys, statements: statements, sessions: formats.NewBounded[string, vigil.ActorKind](maxSessions)}, nil
		},
	})
}

// sure tells a CloudTrail record by the keys that each has, an Insights event and the
// digest of a trail's files by theirs.
func sure(v gjson.Result) float64 {
	var source, name, version, identity, insight, digest bool
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "eventSource", "eventsource":
			if strings.HasSuffix(strings.TrimSuffix(value.Str, ".cn"), ".amazonaws.com") {
				source, identity = true, true
			}
			source = source || value.Type == gjson.String
		case "eventName", "eventname":
			name = value.Type == gjson.String
		case "eventVersion", "eventversion":
			version = true
		case "userIdentity", "useridentity":
			identity = identity || value.IsObject()
		case "insightDetails":
			insight = value.IsObject()
		case "digestStartTime":
			digest = true
		}
		return !(source && name && identity) && !digest
	})
	if source && name && (version || identity) || insight && version || digest {
		return 0.95
	}
	return 0
}

type reader struct {
	opts       formats.Options
	keys       aws.Keys
	actors     aws.Actors
	sessions   *formats.Bounded[string, vigil.ActorKind]
	statements func() *statement.Parser
	sql        *statement.Reader
	f          fields
}

// fields are the parts of one record.
type fields struct {
	time, source, name, address, agent, code, message, id, kind            gjson.Result
	identity, request, response, additional, resources, recipient, console gjson.Result
	readOnly                                                               gjson.Result
	key                                                                    string
}

// collect goes over the record once. Tables in Athena write all keys in small letters.
func (f *fields) collect(v gjson.Result) {
	*f = fields{}
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "eventTime", "eventtime":
			f.time = value
		case "@timestamp": // where a carrier has taken eventTime away
			if !f.time.Exists() {
				f.time = value
			}
		case "eventSource", "eventsource":
			f.source = value
		case "eventName", "eventname":
			f.name = value
		case "sourceIPAddress", "sourceipaddress":
			f.address = value
		case "userAgent", "useragent":
			f.agent = value
		case "errorCode", "errorcode":
			f.code = value
		case "errorMessage", "errormessage":
			f.message = value
		case "eventID", "eventid":
			f.id = value
		case "eventType", "eventtype":
			f.kind = value
		case "userIdentity", "useridentity":
			f.identity = value
		case "requestParameters", "requestparameters":
			f.request = object(value)
		case "responseElements", "responseelements":
			f.response = object(value)
		case "additionalEventData", "additionaleventdata":
			f.additional = object(value)
		case "resources":
			f.resources = value
		case "recipientAccountId", "recipientaccountid":
			f.recipient = value
		case "readOnly", "readonly":
			f.readOnly = value
		case "sessionCredentialFromConsole", "sessioncredentialfromconsole":
			f.console = value
		}
		return true
	})
}

// object is a value that tables hold as a string of JSON.
func object(v gjson.Result) gjson.Result {
	if v.Type == gjson.String && len(v.Str) > 1 && v.Str[0] == '{' && gjson.Valid(v.Str) {
		return gjson.Parse(v.Str)
	}
	return v
}

// Read makes the events of one record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	f := &r.f
	f.collect(rec.JSON)
	if !f.source.Exists() {
		return nil // an Insights event tells of events, a digest of files
	}
	e := rec.Event()
	at, ok := eventTime(f.time.Str)
	if !ok {
		return formats.ErrTime("eventTime")
	}
	e.Time = at
	if e.Actor, ok = r.actor(rec); !ok {
		return formats.Errorf("actor", "userIdentity names nobody")
	}
	e.ID = strings.Clone(formats.Clean(f.id.Str, 64))
	e.Session = r.session(rec)
	e.IP = rec.Clean(formats.Address(f.address.Str), 64)
	if e.Actor.Kind == vigil.KindAnonymous && e.IP != "" {
		e.Actor.ID = e.IP
	}
	e.UserAgent = strings.Clone(rec.String(f.agent, 512))
	e.Outcome = r.outcome()
	r.what(rec, e, emit)
	return nil
}

// eventTime reads the form that CloudTrail writes, and others that carriers make of it.
func eventTime(s string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, true
	}
	return formats.Time(s, nil)
}

// outcome is a success unless a code, a message without a code, or the answer to a
// sign-in says otherwise.
func (r *reader) outcome() vigil.Outcome {
	f := &r.f
	if f.source.Str == "signin.amazonaws.com" && f.response.IsObject() && f.response.Get(gjson.Escape(f.name.Str)).Str == "Failure" {
		return vigil.OutcomeDenied
	}
	switch {
	case f.code.Str != "":
		return aws.Outcome(f.code.Str)
	case f.message.Str != "":
		return aws.Outcome(f.message.Str)
	}
	return vigil.OutcomeSuccess
}

// State is which kinds of actor began which role sessions.
func (r *reader) State() ([]byte, error) {
	type pair struct {
		_   struct{} `cbor:",toarray"`
		ID  string
		Who vigil.ActorKind
	}
	var out []pair
	for id, kind := range r.sessions.All() {
		out = append(out, pair{ID: id, Who: kind})
	}
	return cbor.Marshal(out)
}

// Restore takes it back.
func (r *reader) Restore(state []byte) error {
	var in []struct {
		_   struct{} `cbor:",toarray"`
		ID  string
		Who vigil.ActorKind
	}
	if err := cbor.Unmarshal(state, &in); err != nil {
		return err
	}
	for _, p := range in {
		r.sessions.Put(p.ID, p.Who)
	}
	return nil
}
