package drill

import (
	"slices"

	"vigil"
)

// Field is a part of events that a source may or may not tell.
type Field string

// The fields that breaches show in.
const (
	FieldSubjects     Field = "subjects"
	FieldConversation Field = "conversation"
	FieldSession      Field = "session"
	FieldNetwork      Field = "network"
	FieldCountry      Field = "country"
	FieldTenant       Field = "resource_tenant"
	FieldSize         Field = "rows"
	FieldLimit        Field = "limit"
	FieldFields       Field = "fields"
	FieldOutcome      Field = "outcome"
	FieldDestination  Field = "destination"
	FieldPurpose      Field = "purpose"
	FieldTeam         Field = "team"
	FieldKind         Field = "actor_kind"
	// FieldAdmin stands for acts of administration: grants, settings, sign-ins as
	// somebody else.
	FieldAdmin Field = "administration"
)

// Fields lists them in the order in which a meter shows them.
func Fields() []Field {
	return []Field{
		FieldSubjects, FieldConversation, FieldSession, FieldNetwork, FieldCountry, FieldTenant, FieldSize, FieldLimit, FieldFields,
		FieldOutcome, FieldDestination, FieldPurpose, FieldTeam, FieldKind, FieldAdmin,
	}
}

// Way is one way in which a breach can be seen: all of its fields must arrive and
// all of its feeds must tell something.
type Way struct {
	Fields []Field          `json:"fields,omitempty"`
	Feeds  []vigil.FactKind `json:"feeds,omitempty"`
	// Partly says that only a part shows: a bold breach, or that something is odd
	// without what.
	Partly bool `json:"partly,omitempty"`
	// By says in a few words what shows then.
	By string `json:"by"`
}

// Need is what a row of the catalogue needs to be seen.
type Need struct {
	Row  string `json:"row"`
	Ways []Way  `json:"ways"`
}

// fully and partly make ways shorter to write.
func fully(by string, fields ...Field) Way { return Way{By: by, Fields: fields} }

func partly(by string, fields ...Field) Way { return Way{By: by, Fields: fields, Partly: true} }

func (w Way) with(feeds ...vigil.FactKind) Way {
	w.Feeds = feeds
	return w
}

// Needs lists what each row needs, by id.
func Needs() []Need {
	const (
		person, assignment, shift, change = vigil.FactPerson, vigil.FactAssignment, vigil.FactShift, vigil.FactChange
		consent, contract, customer       = vigil.FactConsent, vigil.FactContract, vigil.FactCustomer
	)
	return []Need{
		{"T01", []Way{fully("how many customers and how much", FieldSubjects), partly("how much", FieldSize), partly("an unusual action")}},
		{"T02", []Way{fully("customers over weeks, in order", FieldSubjects), partly("even gaps, hours")}},
		{"T03", []Way{fully("reads that nobody assigned", FieldSubjects).with(assignment), partly("customers new to the team", FieldSubjects)}},
		{"T04", []Way{fully("whose data it is", FieldTenant), fully("whose customer it is", FieldSubjects).with(customer)}},
		{"T05", []Way{fully("a return from elsewhere", FieldNetwork), fully("work while on leave").with(shift), partly("a return after silence")}},
		{"T06", []Way{fully("a session that moves", FieldSession, FieldNetwork), partly("another network", FieldNetwork)}},
		{"T07", []Way{fully("another network, new resources", FieldNetwork), fully("beyond the contract").with(contract), partly("new resources")}},
		{"T08", []Way{fully("a grant, then a stranger's reads", FieldAdmin, FieldSubjects), partly("somebody new who reads much")}},
		{"T09", []Way{fully("a second customer in a conversation", FieldSubjects, FieldConversation), partly("many calls in a row")}},
		{"T10", []Way{fully("a destination that nobody sent to before", FieldDestination), fully("beyond the bot's contract").with(contract), partly("an action new to the bot")}},
		{"T11", []Way{fully("beyond the bot's contract").with(contract), partly("resources new to the bot")}},
		{"T12", []Way{fully("ids in order, refusals", FieldSubjects, FieldOutcome), partly("many customers", FieldSubjects), partly("refusals", FieldOutcome), partly("many accesses in a row")}},
		{"T13", []Way{fully("many accounts from few networks, refusals", FieldNetwork, FieldOutcome), partly("many accounts from few networks", FieldNetwork)}},
		{"T14", []Way{fully("many readers of one customer", FieldSubjects)}},
		{"T15", []Way{fully("reader and customer are related", FieldSubjects).with(person, customer), partly("reads that nobody assigned", FieldSubjects).with(assignment)}},
		{"T16", []Way{fully("more customers after notice was given", FieldSubjects).with(person), partly("more accesses")}},
		{"T17", []Way{fully("what was taken back, by purpose", FieldSubjects, FieldPurpose).with(consent), partly("what was erased", FieldSubjects).with(consent)}},
		{"T18", []Way{fully("beyond the contract", FieldFields).with(contract), fully("beyond the contract", FieldDestination).with(contract), partly("beyond the contract's numbers", FieldSubjects).with(contract), partly("another destination", FieldDestination), partly("more customers", FieldSubjects)}},
		{"T19", []Way{fully("a country that is not allowed", FieldCountry, FieldSubjects).with(customer), partly("another network", FieldNetwork)}},
		{"T20", []Way{fully("a setting of the audit, then silence", FieldAdmin), partly("a source's silence")}},
		{"T21", []Way{fully("a sign-in as somebody else without a change", FieldAdmin).with(change), partly("another network in a session", FieldNetwork)}},
		{"T22", []Way{fully("whole tables", FieldSize), fully("whole tables", FieldSubjects), partly("unusual statements")}},
		{"T23", []Way{fully("how much, and where it went", FieldSubjects, FieldDestination), partly("how much", FieldSubjects), partly("how much", FieldSize), partly("an action new to somebody")}},
		{"T24", []Way{fully("how much is asked for", FieldLimit), fully("how much comes back", FieldSize), partly("how many customers", FieldSubjects), partly("many searches in a row")}},
		{"T25", []Way{fully("how many customers, and a key", FieldSubjects, FieldAdmin), partly("how much", FieldSubjects), partly("how much", FieldSize), partly("a resource new to somebody")}},
		{"T26", []Way{fully("a second customer in a conversation", FieldSubjects, FieldConversation), partly("customers", FieldSubjects)}},
		{"T27", []Way{fully("a grant that no change asked for, then a stranger's reads", FieldAdmin, FieldSubjects).with(change), partly("somebody new who reads much")}},
		{"T28", []Way{fully("somebody without a name reads customers", FieldKind, FieldSubjects), partly("somebody new who reads much")}},
		{"T29", []Way{fully("a team that does more together", FieldSubjects, FieldTeam), partly("a little more each")}},
		{"T30", []Way{fully("a slow rise, then strangers", FieldSubjects), partly("a slow rise")}},
	}
}

// NeedOf finds a row's need.
func NeedOf(row string) (Need, bool) {
	all := Needs()
	i := slices.IndexFunc(all, func(n Need) bool { return n.Row == row })
	if i < 0 {
		return Need{}, false
	}
	return all[i], true
}
