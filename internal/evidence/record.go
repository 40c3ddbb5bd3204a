package evidence

import (
	"time"

	"github.com/parquet-go/parquet-go"

	"vigil"
)

// record is the form of a row in Parquet: flat names, so that a person can
// query it by hand. Times are UTC nanoseconds; -1 in a count means unknown. Columns of few
// values have a dictionary. It must be read whole for the sake of one row, so those of as
// many values as rows have none.
type record struct {
	Actor          string       `parquet:"actor,dict"`
	Time           int64        `parquet:"time,timestamp(nanosecond)"`
	Batch          int64        `parquet:"batch"`
	BatchOffset    int32        `parquet:"batch_offset"`
	ID             string       `parquet:"id"`
	Received       *int64       `parquet:"received,optional,timestamp(nanosecond)"`
	Source         string       `parquet:"source,dict"`
	ActorKind      string       `parquet:"actor_kind,dict"`
	Role           string       `parquet:"role,dict"`
	Team           string       `parquet:"team,dict"`
	Tenant         string       `parquet:"tenant,dict"`
	App            string       `parquet:"app,dict"`
	Principal      string       `parquet:"principal,dict"`
	Session        string       `parquet:"session"`
	Conversation   string       `parquet:"conversation"`
	Action         string       `parquet:"action,dict"`
	Store          string       `parquet:"store,dict"`
	Resource       string       `parquet:"resource,dict"`
	ResourceClass  string       `parquet:"resource_class,dict"`
	ResourceTenant string       `parquet:"resource_tenant,dict"`
	Subjects       []string     `parquet:"subjects,list"`
	SubjectCount   int64        `parquet:"subject_count"`
	Rows           int64        `parquet:"rows"`
	Bytes          int64        `parquet:"bytes"`
	Limit          int64        `parquet:"limit"`
	Fields         []string     `parquet:"fields,list" parquet-element:",dict"`
	Unbounded      bool         `parquet:"unbounded"`
	Ticket         string       `parquet:"ticket,dict"`
	Purpose        string       `parquet:"purpose,dict"`
	IP             string       `parquet:"ip,dict"`
	Network        string       `parquet:"network,dict"`
	Country        string       `parquet:"country,dict"`
	ASN            string       `parquet:"asn,dict"`
	UserAgent      string       `parquet:"user_agent,dict"`
	Outcome        string       `parquet:"outcome,dict"`
	Shape          string       `parquet:"shape,dict"`
	Destination    *destination `parquet:"destination,optional"`
	OriginFile     string       `parquet:"origin_file,dict"`
	OriginOffset   int64        `parquet:"origin_offset"`
	OriginLine     int64        `parquet:"origin_line"`
	OriginHash     uint64       `parquet:"origin_hash"`
	Late           bool         `parquet:"late"`
	Step           int32        `parquet:"step"`
}

type destination struct {
	Kind    string `parquet:"kind,dict"`
	Network string `parquet:"network,dict"`
	Region  string `parquet:"region,dict"`
}

func recordOf(row Row) record {
	e := row.Event
	r := record{
		Actor: e.Actor.ID, Time: e.Time.UnixNano(), Batch: int64(row.Seq), BatchOffset: int32(row.Offset), ID: e.ID,
		Source: e.Source, ActorKind: string(e.Actor.Kind), Role: e.Actor.Role, Team: e.Actor.Team, Tenant: e.Actor.Tenant, App: e.Actor.App,
		Principal: e.Principal, Session: e.Session, Conversation: e.Conversation, Action: string(e.Action),
		Store: e.Store, Resource: e.Resource, ResourceClass: e.ResourceClass, ResourceTenant: e.ResourceTenant,
		Subjects: e.Subjects, SubjectCount: e.SubjectCount, Rows: e.Rows, Bytes: e.Bytes, Limit: e.Limit,
		Fields: e.Fields, Unbounded: e.Unbounded, Ticket: e.Ticket, Purpose: e.Purpose,
		IP: e.IP, Network: e.Network, Country: e.Country, ASN: e.ASN, UserAgent: e.UserAgent,
		Outcome: string(e.Outcome), Shape: e.Shape,
		OriginFile: e.Origin.File, OriginOffset: e.Origin.Offset, OriginLine: e.Origin.Line, OriginHash: e.Origin.Hash, Late: e.Late, Step: int32(e.Step),
	}
	if !e.Received.IsZero() {
		at := e.Received.UnixNano()
		r.Received = &at
	}
	if e.Destination != nil {
		r.Destination = &destination{Kind: e.Destination.Kind, Network: e.Destination.Network, Region: e.Destination.Region}
	}
	return r
}

// setter puts one value of a column into a row. text is the value as a string,
// for columns of strings.
type setter func(row *Row, v parquet.Value, text string)

func text(field func(*vigil.Event) *string) setter {
	return func(row *Row, _ parquet.Value, s string) { *field(row.Event) = s }
}

func number(field func(*vigil.Event) *int64) setter {
	return func(row *Row, v parquet.Value, _ string) { *field(row.Event) = v.Int64() }
}

func within(field func(*vigil.Destination) *string) setter {
	return func(row *Row, _ parquet.Value, s string) {
		if row.Event.Destination == nil {
			row.Event.Destination = &vigil.Destination{}
		}
		*field(row.Event.Destination) = s
	}
}

// setters maps the dotted path of each leaf column to what reads it. A null is
// never handed to a setter.
func setters() map[string]setter {
	return map[string]setter{
		"actor": text(func(e *vigil.Event) *string { return &e.Actor.ID }),
		"time":  func(row *Row, v parquet.Value, _ string) { row.Event.Time = time.Unix(0, v.Int64()).UTC() },
		"batch": func(row *Row, v parquet.Value, _ string) { row.Seq = uint64(v.Int64()) },
		"batch_offset": func(row *Row, v parquet.Value, _ string) {
			row.Offset = uint32(v.Int32())
		},
		"id":              text(func(e *vigil.Event) *string { return &e.ID }),
		"received":        func(row *Row, v parquet.Value, _ string) { row.Event.Received = time.Unix(0, v.Int64()).UTC() },
		"source":          text(func(e *vigil.Event) *string { return &e.Source }),
		"actor_kind":      func(row *Row, _ parquet.Value, s string) { row.Event.Actor.Kind = vigil.ActorKind(s) },
		"role":            text(func(e *vigil.Event) *string { return &e.Actor.Role }),
		"team":            text(func(e *vigil.Event) *string { return &e.Actor.Team }),
		"tenant":          text(func(e *vigil.Event) *string { return &e.Actor.Tenant }),
		"app":             text(func(e *vigil.Event) *string { return &e.Actor.App }),
		"principal":       text(func(e *vigil.Event) *string { return &e.Principal }),
		"session":         text(func(e *vigil.Event) *string { return &e.Session }),
		"conversation":    text(func(e *vigil.Event) *string { return &e.Conversation }),
		"action":          func(row *Row, _ parquet.Value, s string) { row.Event.Action = vigil.Action(s) },
		"store":           text(func(e *vigil.Event) *string { return &e.Store }),
		"resource":        text(func(e *vigil.Event) *string { return &e.Resource }),
		"resource_class":  text(func(e *vigil.Event) *string { return &e.ResourceClass }),
		"resource_tenant": text(func(e *vigil.Event) *string { return &e.ResourceTenant }),
		"subjects.list.element": func(row *Row, _ parquet.Value, s string) {
			row.Event.Subjects = append(row.Event.Subjects, s)
		},
		"subject_count": number(func(e *vigil.Event) *int64 { return &e.SubjectCount }),
		"rows":          number(func(e *vigil.Event) *int64 { return &e.Rows }),
		"bytes":         number(func(e *vigil.Event) *int64 { return &e.Bytes }),
		"limit":         number(func(e *vigil.Event) *int64 { return &e.Limit }),
		"fields.list.element": func(row *Row, _ parquet.Value, s string) {
			row.Event.Fields = append(row.Event.Fields, s)
		},
		"unbounded":           func(row *Row, v parquet.Value, _ string) { row.Event.Unbounded = v.Boolean() },
		"ticket":              text(func(e *vigil.Event) *string { return &e.Ticket }),
		"purpose":             text(func(e *vigil.Event) *string { return &e.Purpose }),
		"ip":                  text(func(e *vigil.Event) *string { return &e.IP }),
		"network":             text(func(e *vigil.Event) *string { return &e.Network }),
		"country":             text(func(e *vigil.Event) *string { return &e.Country }),
		"asn":                 text(func(e *vigil.Event) *string { return &e.ASN }),
		"user_agent":          text(func(e *vigil.Event) *string { return &e.UserAgent }),
		"outcome":             func(row *Row, _ parquet.Value, s string) { row.Event.Outcome = vigil.Outcome(s) },
		"shape":               text(func(e *vigil.Event) *string { return &e.Shape }),
		"destination.kind":    within(func(d *vigil.Destination) *string { return &d.Kind }),
		"destination.network": within(func(d *vigil.Destination) *string { return &d.Network }),
		"destination.region":  within(func(d *vigil.Destination) *string { return &d.Region }),
		"origin_file":         text(func(e *vigil.Event) *string { return &e.Origin.File }),
		"origin_offset":       number(func(e *vigil.Event) *int64 { return &e.Origin.Offset }),
		"origin_line":         number(func(e *vigil.Event) *int64 { return &e.Origin.Line }),
		"origin_hash":         func(row *Row, v parquet.Value, _ string) { row.Event.Origin.Hash = v.Uint64() },
		"late":                func(row *Row, v parquet.Value, _ string) { row.Event.Late = v.Boolean() },
		"step":                func(row *Row, v parquet.Value, _ string) { row.Event.Step = vigil.Step(v.Int32()) },
	}
}
