// Package bedrock reads the model invocation log of Amazon Bedrock: a JSON record for
// each call of a model, with what was sent and answered. An invocation is an event, and
// so is each tool result that it sends to the model: there the bot has read records.
//
// Of the conversation, which each call sends again from its start, only what stands
// behind the model's last turn is new, so that one tool's result is told once. Prompts,
// answers and results are looked at and dropped: what stays is tools' and arguments'
// names, counts, and the ids that the mapping asks for. Records are read alone; nothing
// is joined.
package bedrock

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "bedrock"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Amazon Bedrock model invocations", Group: formats.GroupBots,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.No,
			Note: "The actor is the bot's role; for whom it acts must be sent along as request metadata.",
		},
		JSON: sure,
		New: func(opts formats.Options) (record.Reader, error) {
			return &reader{opts: opts}, nil
		},
	})
}

func sure(v gjson.Result) float64 {
	if v.Get("schemaType").Str == "ModelInvocationLog" {
		return 0.97
	}
	if v.Get("modelId").Exists() && v.Get("operation").Exists() && v.Get("identity.arn").Exists() && v.Get("requestId").Exists() {
		return 0.8
	}
	return 0
}

type reader struct {
	opts   formats.Options
	actors aws.Actors
}

// Read makes the events of one invocation.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	v := rec.JSON
	e := rec.Event()
	var ok bool
	if e.Time, ok = formats.Time(v.Get("timestamp").String(), nil); !ok {
		return formats.ErrTime("timestamp")
	}
	arn := v.Get("identity.arn").Str
	if arn == "" {
		return formats.Errorf("actor", "identity.arn is missing")
	}
	if e.Actor = r.actors.Of(arn); e.Actor.ID == "" {
		return formats.Errorf("actor", "identity.arn is empty")
	}
	e.ID = strings.Clone(rec.Get("requestId"))
	if e.Store == "" {
		e.Store = "bedrock"
	}
	operation := rec.Get("operation")
	e.Action = vigil.ActionExecute
	if !strings.HasPrefix(operation, "Invoke") && !strings.HasPrefix(operation, "Converse") && !strings.Contains(operation, "Invoke") {
		if e.Action = formats.Verb(operation); e.Action == vigil.ActionWrite {
			e.Action = vigil.ActionExecute
		}
	}
	e.Resource = rec.Clean(aws.ResourceName(v.Get("modelId").Str), 256)
	e.Shape = rec.Clean("bedrock:"+operation, 128)
	e.Outcome = aws.Outcome(v.Get("errorCode").Str)
	in, out := body(v.Get("input.inputBodyJson")), body(v.Get("output.outputBodyJson"))
	if blocked(out) {
		e.Outcome = vigil.OutcomeDenied
	}
	r.metadata(rec, e, v.Get("requestMetadata"))
	r.metadata(rec, e, in.Get("requestMetadata"))
	r.metadata(rec, e, in.Get("metadata"))
	conversation, principal, tenant, ticket := e.Conversation, e.Principal, e.ResourceTenant, e.Ticket
	calls := results(in)
	if !in.Exists() {
		// What was sent is elsewhere: then the tools that the model asks for are all there is.
		calls = asked(out)
	}
	if len(calls) > 0 || in.Get("toolConfig").Exists() || in.Get("tools").Exists() {
		if e.Actor.Kind == vigil.KindUnspecified || e.Actor.Kind == vigil.KindService {
			e.Actor.Kind = vigil.KindBot
		}
	}
	who, id, at, store := e.Actor, e.ID, e.Time, e.Store
	emit(e)
	for _, c := range calls {
		t := rec.Event()
		t.ID, t.Time, t.Store, t.Actor = id, at, store, who
		t.Principal, t.Conversation, t.ResourceTenant, t.Ticket = principal, conversation, tenant, ticket
		r.tool(rec, t, c)
		emit(t)
	}
	return nil
}

// body is what was sent or answered, which some carriers hold as a string.
func body(v gjson.Result) gjson.Result {
	if v.Type == gjson.String && gjson.Valid(v.Str) {
		return gjson.Parse(v.Str)
	}
	return v
}

// blocked says that a guardrail has kept the answer back.
func blocked(out gjson.Result) bool {
	return out.Get("stopReason").Str == "guardrail_intervened" || out.Get("amazon-bedrock-guardrailAction").Str == "INTERVENED"
}

// meanings are the names of metadata that applications use for what the mapping does not
// say. The customer in the conversation is the one for whom the bot acts.
var meanings = map[string]formats.Meaning{
	"conversation_id": formats.MeansConversation, "conversationid": formats.MeansConversation, "conversation": formats.MeansConversation,
	"session_id": formats.MeansConversation, "sessionid": formats.MeansConversation, "thread_id": formats.MeansConversation,
	"user_id": formats.MeansSubject, "userid": formats.MeansSubject, "customer_id": formats.MeansSubject, "customerid": formats.MeansSubject,
	"customer": formats.MeansSubject, "tenant_id": formats.MeansTenant, "tenantid": formats.MeansTenant, "tenant": formats.MeansTenant,
	"ticket_id": formats.MeansTicket, "ticketid": formats.MeansTicket, "ticket": formats.MeansTicket,
}

// maxPairs bounds the pairs of metadata that are looked at; Bedrock takes 16.
const maxPairs = 64

// metadata takes for whom and in which conversation the model is called.
func (r *reader) metadata(rec *record.Record, e *vigil.Event, v gjson.Result) {
	if !v.IsObject() {
		return
	}
	n := 0
	v.ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		m := r.meaning(name)
		if m == "" {
			m = meanings[strings.ToLower(name)]
		}
		id := strings.Clone(rec.String(value, 256))
		if id != "" {
			switch m {
			case formats.MeansSubject:
				e.Principal = id
			case formats.MeansConversation:
				e.Conversation = id
			case formats.MeansTenant:
				e.ResourceTenant = id
			case formats.MeansTicket:
				e.Ticket = id
			}
		}
		n++
		return n < maxPairs
	})
}

// meaning is what the mapping says of a parameter's name.
func (r *reader) meaning(name string) formats.Meaning {
	if r.opts.Mapping == nil {
		return ""
	}
	return r.opts.Mapping.Params[name]
}
