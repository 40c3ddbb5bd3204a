package rules

import (
	"maps"
	"slices"
	"strings"

	"vigil"
)

// conversationLimit bounds how many conversations one shard remembers.
const conversationLimit = 16_384

// otherLimit bounds the further customers that are told apart in a conversation.
const otherLimit = 1024

// conversations remembers who belongs to which conversation, of bots, services,
// vendors and what is unspecified: a person may look up a second customer for good
// reasons. Of a conversation that was not heard of while conversationLimit others
// were, the first customer is forgotten.
type conversations struct {
	recent[conversationKey, *conversation]
}

// conversationKey tells conversations apart, and who reads in them: what one reads
// is no word about another.
type conversationKey struct{ tenant, actor, store, id string }

type conversation struct {
	first  string
	others map[string]struct{} // distinct further customers
}

func newConversations() conversations {
	return conversations{newRecent[conversationKey, *conversation](conversationLimit)}
}

// add folds e and returns its conversation, nil when it is in none, with how many of
// e's customers it does not belong to.
func (c *conversations) add(e *vigil.Event, linked func(one, other string) bool) (conv *conversation, further int64) {
	if e.Conversation == "" || e.Actor.Kind == vigil.KindHuman || e.Actor.Kind == vigil.KindAdmin {
		return nil, 0
	}
	if len(e.Subjects) == 0 && e.Principal == "" {
		return nil, 0
	}
	key := conversationKey{e.Actor.Tenant, e.Actor.ID, e.Store, e.Conversation}
	conv, ok := c.get(key)
	if !ok {
		first := e.Principal
		if first == "" {
			first = e.Subjects[0]
		}
		conv = &conversation{first: strings.Clone(first)}
		c.put(key.clone(), conv)
	}
	for _, s := range e.Subjects {
		if s == conv.first || s == "" || linked != nil && linked(conv.first, s) {
			continue
		}
		further++
		if _, ok := conv.others[s]; ok || len(conv.others) >= otherLimit {
			continue
		}
		if conv.others == nil {
			conv.others = make(map[string]struct{})
		}
		conv.others[strings.Clone(s)] = struct{}{}
	}
	return conv, further
}

func (k conversationKey) clone() conversationKey {
	return conversationKey{strings.Clone(k.tenant), strings.Clone(k.actor), strings.Clone(k.store), strings.Clone(k.id)}
}

// customers are all that were read in the conversation, sorted.
func (c *conversation) customers() []string {
	all := append(slices.Collect(maps.Keys(c.others)), c.first)
	slices.Sort(all)
	return all
}

// ConversationState is one conversation in the form that is kept.
type ConversationState struct {
	_                        struct{} `cbor:",toarray"`
	Tenant, Actor, Store, ID string
	First                    string
	Others                   []string
}

func (c *conversations) state() []ConversationState {
	out := make([]ConversationState, 0, c.len())
	c.each(func(k conversationKey, conv *conversation) {
		out = append(out, ConversationState{
			Tenant: k.tenant, Actor: k.actor, Store: k.store, ID: k.id, First: conv.first, Others: slices.Sorted(maps.Keys(conv.others)),
		})
	})
	return out
}

func (c *conversations) restore(states []ConversationState) {
	*c = newConversations()
	for _, st := range states {
		conv := &conversation{first: st.First}
		for _, s := range st.Others {
			if conv.others == nil {
				conv.others = make(map[string]struct{})
			}
			conv.others[s] = struct{}{}
		}
		c.put(conversationKey{st.Tenant, st.Actor, st.Store, st.ID}, conv)
	}
}
