// Package rules holds the deterministic rules: the few near-certain ones that are
// built in, and the user's own. A rule fires on a single event, so it needs no past
// and is never held back by the alert budget.
//
// All rules have one form: a YAML file with an expression over the fields of Env,
// texts, and examples of events that fire it and that don't. Load reads one, New
// makes a Set of several, and each of the detector's shards has a Watch, which it
// hands events in the log's order. A Set is read by many goroutines; a Watch is for
// one. What rules need to remember, who belongs to a conversation and who wrote a
// memory, is Go code in the Watch, bounded, and shown to expressions as fields.
//
// An expression can neither loop without end nor allocate without bound: only a list
// of operators and functions is let in (see allowed), over lists that are bounded
// themselves, of at most maxExpression bytes and maxNodes parts. One that fails on an
// event, by dividing by zero say, is set aside for that event and counted; the
// detector switches a rule off that fails too often.
package rules
