package rules

import (
	"fmt"
	"reflect"
	"strings"
)

// Env is what an expression sees of one access. Numbers are whole, and -1 where the
// source does not tell them: see known. Texts are empty where nothing is told;
// people's identifiers are pseudonyms. The order is that of the documentation.
//
// The tag doc gives a field's meaning, needs the kind of feed without which it is
// never true, and unknown marks numbers that a source may not tell.
type Env struct {
	// Who.
	Actor string `expr:"actor" doc:"the actor's id, a pseudonym"`
	Kind  string `expr:"kind" doc:"human, service, bot, vendor, admin or anonymous"`
	Role  string `expr:"role" doc:"the actor's role"`
	Team  string `expr:"team" doc:"the actor's team"`
	// Tenant is the actor's own.
	Tenant       string `expr:"tenant" doc:"the organisation that the actor belongs to"`
	App          string `expr:"app" doc:"the client application"`
	UserAgent    string `expr:"user_agent" doc:"the client's description of itself"`
	Principal    string `expr:"principal" doc:"the customer on whose behalf a bot acts, a pseudonym"`
	Session      string `expr:"session" doc:"the source's session id, a pseudonym"`
	Conversation string `expr:"conversation" doc:"the chat, a pseudonym"`

	// What.
	Source         string   `expr:"source" doc:"the configured source that told of it"`
	Action         string   `expr:"action" doc:"login, logout, read, search, export, write, delete, share, grant, configure, impersonate, execute or other"`
	Discloses      bool     `expr:"discloses" doc:"the action shows data to its actor"`
	Store          string   `expr:"store" doc:"the system that holds the data"`
	Resource       string   `expr:"resource" doc:"the table, collection, index or endpoint"`
	ResourceClass  string   `expr:"resource_class" doc:"its class, such as chat, contact, memory or audit"`
	ResourceTenant string   `expr:"resource_tenant" doc:"the organisation whose data it is"`
	Customer       string   `expr:"customer" doc:"the first customer named, a pseudonym"`
	Customers      int64    `expr:"customers" doc:"how many customers were touched" unknown:"yes"`
	Rows           int64    `expr:"rows" doc:"rows returned" unknown:"yes"`
	Bytes          int64    `expr:"bytes" doc:"bytes returned" unknown:"yes"`
	Limit          int64    `expr:"limit" doc:"what was asked for: LIMIT, page size, top-k" unknown:"yes"`
	Fields         []string `expr:"fields" doc:"the columns or attributes named, a list"`
	Unbounded      bool     `expr:"unbounded" doc:"the whole of a table or collection was selected"`
	Outcome        string   `expr:"outcome" doc:"success, denied, error, or empty"`
	Ticket         string   `expr:"ticket" doc:"the ticket that the source names"`
	Purpose        string   `expr:"purpose" doc:"the purpose that the source names"`

	// Where.
	Network            string `expr:"network" doc:"the client's network, such as 192.0.2.0/24"`
	PeopleNetwork      bool   `expr:"people_network" doc:"people worked from this network within the last 30 days"`
	Country            string `expr:"country" doc:"of the client's network"`
	ASN                string `expr:"asn" doc:"of the client's network"`
	DestinationKind    string `expr:"destination_kind" doc:"where the data went, when told"`
	DestinationNetwork string `expr:"destination_network" doc:"the network that it went to"`
	DestinationRegion  string `expr:"destination_region" doc:"the region that it went to"`

	// When.
	Hour    int64  `expr:"hour" doc:"of the day, UTC, 0 to 23"`
	Weekday string `expr:"weekday" doc:"monday to sunday, UTC"`
	Late    bool   `expr:"late" doc:"it arrived after its place in time had passed"`

	// What is remembered.
	FirstCustomer         string `expr:"first_customer" doc:"whose conversation it is (not kept for people and administrators), a pseudonym"`
	ConversationCustomers int64  `expr:"conversation_customers" doc:"customers read so far in the conversation, a household as one; 0 for people and administrators"`
	FurtherCustomers      int64  `expr:"further_customers" doc:"customers of this access whom the conversation does not belong to"`
	MemoryOfAnother       bool   `expr:"memory_of_another" doc:"an agent's memory of one customer, read for another (resource_class memory)"`

	// Reasons that were found.
	Justified   bool `expr:"justified" doc:"a reason was found that makes it legitimate" needs:"assignment,change,purpose,contract"`
	Unjustified bool `expr:"unjustified" doc:"reasons were looked for, and none was found" needs:"assignment,change,purpose,contract"`
	Named       bool `expr:"named" doc:"it names a ticket or purpose that no feed contradicts"`
	Assigned    bool `expr:"assigned" doc:"an assignment covers it" needs:"assignment"`
	OnShift     bool `expr:"on_shift" doc:"the actor works then" needs:"shift"`
	OnCall      bool `expr:"on_call" doc:"the actor is on call then" needs:"shift"`
	Approved    bool `expr:"approved" doc:"a change, incident or maintenance covers it" needs:"change"`
	Declared    bool `expr:"declared" doc:"the actor's purpose is declared, its quota not used up" needs:"purpose"`
	Contracted  bool `expr:"contracted" doc:"a contract covers it" needs:"contract"`
	Awaited     bool `expr:"awaited" doc:"a deploy, a maintenance window or a calendar's event makes much unusual now" needs:"change"`
	Own         bool `expr:"own" doc:"it is the customer's own record, or of the own household" needs:"customer"`

	// What speaks against it.
	Left            bool     `expr:"left" doc:"after the actor's last day" needs:"person"`
	Leaving         bool     `expr:"leaving" doc:"the actor has given notice" needs:"person"`
	Absent          bool     `expr:"absent" doc:"the actor is on leave" needs:"shift"`
	Withdrawn       bool     `expr:"withdrawn" doc:"the customer's consent was withdrawn before, and no legal hold stands" needs:"consent"`
	Erased          bool     `expr:"erased" doc:"the record should be gone, and no legal hold stands" needs:"consent"`
	WithdrawnHours  int64    `expr:"withdrawn_hours" doc:"hours since the withdrawal or erasure" needs:"consent" unknown:"yes"`
	ForeignTenant   bool     `expr:"foreign_tenant" doc:"the data is of another tenant than the actor"`
	ForeignRegion   bool     `expr:"foreign_region" doc:"read from a country where the customer's data may not go" needs:"customer"`
	Related         bool     `expr:"related" doc:"actor and customer share two attributes at least" needs:"customer,person"`
	Colleague       bool     `expr:"colleague" doc:"the customer is a member of staff" needs:"person"`
	Self            bool     `expr:"self" doc:"it is the actor's own record" needs:"person"`
	VIP             bool     `expr:"vip" doc:"a customer whom people are curious about" needs:"customer"`
	Honey           bool     `expr:"honey" doc:"a planted record that nobody has a reason to read" needs:"honey"`
	OutsideContract bool     `expr:"outside_contract" doc:"outside the actor's contract in some way" needs:"contract"`
	Outside         []string `expr:"outside" doc:"the ways, a list: expired, resource, fields, action, hours, network, region, destination, volume, customer" needs:"contract"`
	Undeclared      bool     `expr:"undeclared" doc:"the purpose named is not declared, or its quota used up" needs:"purpose"`

	// Exceptions, which are no accesses: all other fields but actor, hour and weekday
	// are empty for them, and rules that don't name one of these don't see them.
	Exception     bool  `expr:"exception" doc:"an exception was made: findings about somebody are silenced"`
	ByProtected   bool  `expr:"by_protected" doc:"it was made by the one whom it protects"`
	ExceptionDays int64 `expr:"exception_days" doc:"for how many days; -1 without end" unknown:"yes"`
}

// Field is one field of Env as the documentation tells it.
type Field struct {
	Name, Type, Meaning string
	// Needs are the kinds of feed of which at least one must be there.
	Needs []string
	// MayBeUnknown says that a number is -1 where nobody tells it.
	MayBeUnknown bool
}

// Fields lists what expressions see, in the order of Env.
func Fields() []Field {
	t := reflect.TypeFor[Env]()
	out := make([]Field, t.NumField())
	for i := range out {
		f := t.Field(i)
		out[i] = Field{Name: f.Tag.Get("expr"), Type: typeName(f.Type), Meaning: f.Tag.Get("doc"), MayBeUnknown: f.Tag.Get("unknown") != ""}
		if needs := f.Tag.Get("needs"); needs != "" {
			out[i].Needs = strings.Split(needs, ",")
		}
	}
	return out
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "number"
	case reflect.Slice:
		return "list of texts"
	case reflect.String:
		return "text"
	}
	return t.String()
}

// fieldIndex finds a field by its name, -1 for none.
func fieldIndex(name string) int {
	if i, ok := fieldIndexes[name]; ok {
		return i
	}
	return -1
}

var fieldIndexes = func() map[string]int {
	out := map[string]int{}
	for i, f := range Fields() {
		out[f.Name] = i
	}
	return out
}()

// view gives guards a quick way to the fields of one Env.
type view struct {
	texts   [fieldLimit]*string
	numbers [fieldLimit]*int64
	truths  [fieldLimit]*bool
}

// fieldLimit is more than Env has fields.
const fieldLimit = 80

func newView(env *Env) *view {
	v := &view{}
	s := reflect.ValueOf(env).Elem()
	for i := range s.NumField() {
		switch p := s.Field(i).Addr().Interface().(type) {
		case *string:
			v.texts[i] = p
		case *int64:
			v.numbers[i] = p
		case *bool:
			v.truths[i] = p
		}
	}
	return v
}

// text writes a field for a sentence.
func (env *Env) text(i int) string {
	switch v := reflect.ValueOf(env).Elem().Field(i).Interface().(type) {
	case string:
		if v == "" {
			return "(not told)"
		}
		return v
	case int64:
		if v < 0 {
			return "an unknown number"
		}
		return group(v)
	case []string:
		if len(v) == 0 {
			return "(none)"
		}
		return strings.Join(v[:min(len(v), maxListed)], ", ")
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		return fmt.Sprint(v)
	}
}

// maxListed bounds the words of a list that a sentence names.
const maxListed = 20
