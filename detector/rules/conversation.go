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

type conversationKey struct{ tenant, store, id string }

type conversation struct {
	key     conversationKey
	subject string
	// others counts distinct further subjects; it only need tell new ones.
	others map[string]struct{}
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
	key := conversationKey{e.Actor.Tenant, e.Store, e.Conversation}
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
	fresh := false
	for _, s := range e.Subjects {
		if s == conv.subject || s == "" {
			continue
		}
		if _, ok := conv.others[s]; ok || len(conv.others) >= otherLimit {
			continue
		}
		if conv.others == nil {
			conv.others = make(map[string]struct{})
		}
		conv.others[s] = struct{}{}
		fresh = true
	}
	if !fresh {
		return Hit{}, false
	}
	all := append(slices.Collect(maps.Keys(conv.others)), conv.subject)
	slices.Sort(all)
	return Hit{Conversation: e.Conversation, First: conv.subject, Others: len(conv.others), Subjects: all}, true
}

// ConversationState is one conversation in the form that is kept.
type ConversationState struct {
	_                 struct{} `cbor:",toarray"`
	Tenant, Store, ID string
	Subject           string
	Others            []string
}

// State returns what is remembered, the longest unheard first.
func (c *Conversation) State() []ConversationState {
	out := make([]ConversationState, 0, c.order.Len())
	for el := c.order.Back(); el != nil; el = el.Prev() {
		conv := el.Value.(*conversation)
		st := ConversationState{Tenant: conv.key.tenant, Store: conv.key.store, ID: conv.key.id, Subject: conv.subject}
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
		conv := &conversation{key: conversationKey{st.Tenant, st.Store, st.ID}, subject: st.Subject}
		for _, s := range st.Others {
			if conv.others == nil {
				conv.others = make(map[string]struct{})
			}
			conv.others[s] = struct{}{}
		}
		c.known[conv.key] = c.order.PushFront(conv)
	}
}
