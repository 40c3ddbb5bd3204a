// Package rules holds the few deterministic rules. A rule is near-certain from a
// single event, so it needs no past and is never held back by the alert budget.
//
// The detector's shards call rules in the log's order; a rule is not safe for
// concurrent use. Its memory is bounded.
package rules

import (
	"container/list"
	"maps"
	"slices"
	"strings"

	"vigil"
)

// conversationLimit bounds how many conversations one shard remembers.
const conversationLimit = 16_384

// Conversation is the invariant "one conversation, one customer": more than one
// data subject read within one conversation is near-certain evidence of injection
// or enumeration. It holds for bots, services, vendors and what is unspecified;
// a person may look up a second customer for good reasons.
//
// Of a conversation that was not heard of while conversationLimit others were,
// the first customer is forgotten.
type Conversation struct {
	known map[conversationKey]*list.Element
	order *list.List // front is the most recent
}

// conversationKey tells conversations apart, and who reads in them: what one reads
// is no word about another.
type conversationKey struct{ tenant, actor, store, id string }

type conversation struct {
	key     conversationKey
	subject string
	// others counts distinct further subjects; it only need tell new ones.
	others map[string]struct{}
	breach Breach
}

// Breach is what the accesses that broke the rule in one conversation add up to.
type Breach struct {
	_ struct{} `cbor:",toarray"`
	// Declared is the event time (Unix nanoseconds) of the access by which it was
	// found, First and Last those of the earliest and latest access that read
	// another customer.
	Declared, First, Last int64
	Accesses              int64
	// Rows is the sum that sources told, vigil.Unknown when none did.
	Rows int64
	// Stores, Resources and Networks are what was touched and from where, sorted,
	// each at most listLimit.
	Stores, Resources, Networks []string
}

// listLimit bounds what a breach lists.
const listLimit = 20

// add counts an access.
func (b *Breach) add(e *vigil.Event) {
	t := e.Time.UnixNano()
	if b.Accesses == 0 {
		b.Declared, b.First, b.Last, b.Rows = t, t, t, vigil.Unknown
	}
	b.First, b.Last = min(b.First, t), max(b.Last, t)
	b.Accesses++
	if e.Rows >= 0 {
		b.Rows = max(b.Rows, 0) + e.Rows
	}
	b.Stores, b.Resources, b.Networks = with(b.Stores, e.Store), with(b.Resources, e.Resource), with(b.Networks, e.Network)
}

// clone is a copy that shares no list: those of a breach grow in place.
func (b *Breach) clone() Breach {
	c := *b
	c.Stores, c.Resources, c.Networks = slices.Clone(b.Stores), slices.Clone(b.Resources), slices.Clone(b.Networks)
	return c
}

// with is the sorted list with s in it, while there is room.
func with(list []string, s string) []string {
	at, have := slices.BinarySearch(list, s)
	if s == "" || have || len(list) >= listLimit {
		return list
	}
	return slices.Insert(list, at, strings.Clone(s))
}

// otherLimit bounds the further subjects that are told apart in a conversation.
const otherLimit = 1024

// NewConversation makes a rule that has seen nothing.
func NewConversation() *Conversation {
	return &Conversation{known: make(map[conversationKey]*list.Element), order: list.New()}
}

// Hit is a rule that fired.
type Hit struct {
	// Conversation is where, First its customer, Others how many more.
	Conversation, First string
	Others              int
	// Subjects are the customers, the first one's id included, sorted.
	Subjects []string
	// Breach is what has come of it so far.
	Breach Breach
}

// Check folds e and returns a hit when e reads a further customer in a
// conversation that has one already.
func (c *Conversation) Check(e *vigil.Event) (Hit, bool) {
	if e.Conversation == "" || e.Actor.Kind == vigil.KindHuman || e.Actor.Kind == vigil.KindAdmin {
		return Hit{}, false
	}
	if len(e.Subjects) == 0 && e.Principal == "" {
		return Hit{}, false
	}
	key := conversationKey{e.Actor.Tenant, e.Actor.ID, e.Store, e.Conversation}
	el := c.known[key]
	if el == nil {
		first := e.Principal
		if first == "" {
			first = e.Subjects[0]
		}
		el = c.order.PushFront(&conversation{key: key, subject: first})
		c.known[key] = el
		if c.order.Len() > conversationLimit {
			last := c.order.Remove(c.order.Back()).(*conversation)
			delete(c.known, last.key)
		}
	} else {
		c.order.MoveToFront(el)
	}
	conv := el.Value.(*conversation)
	broken, fresh := false, false
	for _, s := range e.Subjects {
		if s == conv.subject || s == "" {
			continue
		}
		broken = true
		if _, ok := conv.others[s]; ok || len(conv.others) >= otherLimit {
			continue
		}
		if conv.others == nil {
			conv.others = make(map[string]struct{})
		}
		conv.others[s] = struct{}{}
		fresh = true
	}
	if broken {
		conv.breach.add(e)
	}
	if !fresh {
		return Hit{}, false
	}
	all := append(slices.Collect(maps.Keys(conv.others)), conv.subject)
	slices.Sort(all)
	return Hit{Conversation: e.Conversation, First: conv.subject, Others: len(conv.others), Subjects: all, Breach: conv.breach.clone()}, true
}

// ConversationState is one conversation in the form that is kept.
type ConversationState struct {
	_                        struct{} `cbor:",toarray"`
	Tenant, Actor, Store, ID string
	Subject                  string
	Others                   []string
	Breach                   Breach
}

// State returns what is remembered, the longest unheard first.
func (c *Conversation) State() []ConversationState {
	out := make([]ConversationState, 0, c.order.Len())
	for el := c.order.Back(); el != nil; el = el.Prev() {
		conv := el.Value.(*conversation)
		st := ConversationState{
			Tenant: conv.key.tenant, Actor: conv.key.actor, Store: conv.key.store, ID: conv.key.id, Subject: conv.subject, Breach: conv.breach.clone(),
		}
		for s := range conv.others {
			st.Others = append(st.Others, s)
		}
		slices.Sort(st.Others)
		out = append(out, st)
	}
	return out
}

// Restore takes back a state.
func (c *Conversation) Restore(states []ConversationState) {
	*c = *NewConversation()
	for _, st := range states {
		conv := &conversation{key: conversationKey{st.Tenant, st.Actor, st.Store, st.ID}, subject: st.Subject, breach: st.Breach}
		for _, s := range st.Others {
			if conv.others == nil {
				conv.others = make(map[string]struct{})
			}
			conv.others[s] = struct{}{}
		}
		c.known[conv.key] = c.order.PushFront(conv)
	}
}
