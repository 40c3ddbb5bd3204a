package formats

// Mapping says how a store names its subjects, conversations and actors. It is
// given in the configuration or taken from a preset; the zero Mapping maps
// nothing.
type Mapping struct {
	// Tables maps a table ("messages" or "public.messages", lower case) to what
	// its columns mean.
	Tables map[string]Table
	// Paths are URL path templates, first match wins.
	Paths []Path
	// Params maps a URL query or statement parameter name to a meaning.
	Params map[string]Meaning
}

// Meaning is what a column, path segment or parameter holds.
type Meaning string

// The meanings.
const (
	MeansSubject      Meaning = "subject"
	MeansConversation Meaning = "conversation"
	MeansTenant       Meaning = "tenant"
	MeansTicket       Meaning = "ticket"
	MeansLimit        Meaning = "limit"
)

// Table says what one table's columns mean.
type Table struct {
	// Columns maps a column to a meaning.
	Columns map[string]Meaning
	// Class is the sensitivity of what is in it, such as "chat" or "contact".
	Class string
	// Ignore drops accesses that touch this table alone (schema bookkeeping).
	Ignore bool
}

// Path is a URL path template such as "/api/v1/accounts/{tenant}/conversations/{conversation}/messages".
// A segment in braces is a meaning, "*" any one segment, "**" the rest.
type Path struct {
	Template string
	// Resource is the event's resource; the template's fixed part when empty.
	Resource string
	// Class is the sensitivity.
	Class string
	// Action overrides the action that the method implies.
	Action string
}
