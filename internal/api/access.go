package api

import "time"

// Access is an event in the answers of the API, of which the keys are those of the native
// format. What a source does not tell is not there.
type Access struct {
	ID string `json:"id"`
	// Time is when it happened, Received when vigil took it in.
	Time     time.Time `json:"time"`
	Received time.Time `json:"received,omitzero"`
	// Source is the configured source through which it came.
	Source string `json:"source,omitempty"`
	// Actor did it, by pseudonym; Principal is the customer for whom a bot acts.
	Actor        string `json:"actor"`
	Kind         string `json:"actor_kind,omitempty"`
	Role         string `json:"role,omitempty"`
	Team         string `json:"team,omitempty"`
	Tenant       string `json:"tenant,omitempty"`
	App          string `json:"app,omitempty"`
	Principal    string `json:"principal,omitempty"`
	Session      string `json:"session,omitempty"`
	Conversation string `json:"conversation,omitempty"`
	// Action is what was done, such as read or export.
	Action string `json:"action"`
	// Store is the system, Resource the part of it, ResourceClass its class of data.
	Store          string `json:"store,omitempty"`
	Resource       string `json:"resource,omitempty"`
	ResourceClass  string `json:"resource_class,omitempty"`
	ResourceTenant string `json:"resource_tenant,omitempty"`
	// Subjects are the customers, by pseudonym, at most MaxAccessSubjects of SubjectCount.
	Subjects     []string `json:"subjects,omitempty"`
	SubjectCount *int64   `json:"subject_count,omitempty"`
	// Rows and Bytes are what was returned, Limit how many were asked for.
	Rows  *int64 `json:"rows,omitempty"`
	Bytes *int64 `json:"bytes,omitempty"`
	Limit *int64 `json:"limit,omitempty"`
	// Fields are the columns that were named; Unbounded says that nothing narrowed it.
	Fields    []string `json:"fields,omitempty"`
	Unbounded bool     `json:"unbounded,omitempty"`
	// Step is how the customer's number lies to the one before: -1 lower, 1 next, 2 higher.
	Step    int    `json:"step,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	Purpose string `json:"purpose,omitempty"`
	// Network is the client's, /24 or /48.
	Network   string `json:"network,omitempty"`
	Country   string `json:"country,omitempty"`
	ASN       string `json:"asn,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	// Outcome is success, denied or error.
	Outcome string `json:"outcome,omitempty"`
	// Shape is the fingerprint of the query, without what it asked for.
	Shape       string             `json:"shape,omitempty"`
	Destination *AccessDestination `json:"destination,omitempty"`
	// Late says that it came after its time had been judged.
	Late bool `json:"late,omitempty"`
}

// AccessDestination is where data went.
type AccessDestination struct {
	Kind    string `json:"kind,omitempty"`
	Network string `json:"network,omitempty"`
	Region  string `json:"region,omitempty"`
}

// MaxAccessSubjects bounds the customers of one Access.
const MaxAccessSubjects = 1_000
