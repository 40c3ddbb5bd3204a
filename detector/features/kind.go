package features

// Kind is one thing that is counted or measured in a span.
type Kind int

// The kinds: counts first, then sizes.
const (
	Events Kind = iota
	// Subjects and Conversations count distinct ones.
	Subjects
	Conversations
	// Denied counts accesses that were refused.
	Denied
	// New counts values (networks, shapes, ...) that the actor never used before.
	New
	// Strangers counts readings, with no ticket or purpose named, of subjects that
	// neither the actor nor its team had read lately.
	Strangers
	// Unbounded counts accesses that selected with no predicate at all.
	Unbounded
	// Splits counts how often one session was back within minutes at a network or
	// client program that it had left: two clients in turn.
	Splits
	// Silent counts customers whose record was opened with no ticket or purpose named
	// and about whom nothing was written: looked at, and that was all. It is told by
	// days.
	Silent
	// Unreasoned counts customers read for whom a reason was looked for (see package
	// reasons) and none was found. It is told only where feeds tell of reasons.
	Unreasoned
	// Neighbours counts readings, with no reason for them, of the customer (or the
	// conversation) whose number comes just after that of the one before: ids that
	// were counted up rather than come to.
	Neighbours
	// Rows and Bytes are sums.
	Rows
	Bytes

	Kinds  int = iota
	Counts     = int(Rows)
	Sizes      = Kinds - Counts
)

var kindNames = [Kinds]string{"events", "subjects", "conversations", "denied", "new", "strangers", "unbounded", "splits", "silent", "unreasoned", "neighbours", "rows", "bytes"}

// String is the kind's name in findings.
func (k Kind) String() string { return kindNames[k] }

// IsCount says that the kind counts whole things.
func (k Kind) IsCount() bool { return int(k) < Counts }

// Words names the kind for a person, after a number.
func (k Kind) Words(one bool) string {
	plural := [Kinds]string{"accesses", "customers", "conversations", "refused accesses", "things never used before",
		"customers new to the actor and its team", "reads of everything at once", "returns of a session to the network or program just left",
		"customers only looked at, with no reason and no reply", "customers read with no reason to be found", "reads of the next id after the one before", "rows", "bytes"}
	single := [Kinds]string{"access", "customer", "conversation", "refused access", "thing never used before",
		"customer new to the actor and its team", "read of everything at once", "return of a session to the network or program just left",
		"customer only looked at, with no reason and no reply", "customer read with no reason to be found", "read of the next id after the one before", "row", "byte"}
	if one {
		return single[k]
	}
	return plural[k]
}

// Weight is the kind's part in an epoch's evidence. Customers weigh most: they
// are what a breach is about.
func (k Kind) Weight() float64 {
	return [Kinds]float64{2, 3, 1, 1, 0.75, 2.5, 2, 3, 3, 4, 2, 2.5, 0.5}[k]
}

// Category is one thing that an event names.
type Category int

// The categories.
const (
	Network Category = iota
	Resource
	Action
	Agent
	Shape
	Hour
	Categories int = iota
)

var categoryNames = [Categories]string{"network", "resource", "action", "agent", "shape", "hour"}

// String is the category's name in findings.
func (c Category) String() string { return categoryNames[c] }

// Words names the category for a person.
func (c Category) Words() string {
	return [Categories]string{"network", "resource", "kind of action", "client program", "kind of query", "hour of the day"}[c]
}

// Weight is the category's part in an epoch's evidence.
func (c Category) Weight() float64 {
	return [Categories]float64{2, 1, 0.5, 1, 1, 0.5}[c]
}
