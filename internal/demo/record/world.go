package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// random returns the stream of random numbers that belongs to a name. Each actor
// and day has its own, so that a change to one leaves the others alone.
func random(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// gamma draws from a gamma distribution with mean 1 and variance 1/shape.
func gamma(r *rand.Rand, shape float64) float64 {
	return distuv.Gamma{Alpha: shape, Beta: shape, Src: r}.Rand()
}

// between draws a duration from lo to hi.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// pick draws one of xs.
func pick[T any](r *rand.Rand, xs []T) T { return xs[r.IntN(len(xs))] }

// contact is a customer.
type contact struct {
	id, account        int64
	name, email, phone string
	created            time.Time
}

// conversation is one chat of one customer.
type conversation struct {
	id, account, contact int64
	assignee             *int64
	channel, status      string
	created, updated     time.Time
}

// supportCase is what a chat turns into when it takes longer.
type supportCase struct {
	id, account, contact int64
	conversation         *int64
	status, priority     string
	subject, description string
	updated              time.Time
}

// message is kept for the past only; new ones go to the store alone.
type message struct {
	id, conversation int64
	sender, content  string
	attachment       string
	at               time.Time
}

// world is what the store holds, as far as the simulation must know it. Slices
// are indexed by id; index 0 is unused.
type world struct {
	contacts      []contact
	conversations []conversation
	cases         []supportCase
	history       []message
	messages      int64
	// contactsOf and conversationsOf list each account's, oldest first.
	contactsOf, conversationsOf [4][]int64
	// casesOf is a contact's cases.
	casesOf map[int64][]int64
	// queues hold the conversations of each account that wait for an agent.
	queues [4][]int64
}

const (
	firstContacts      = 6_000
	firstConversations = 9_000
	firstCases         = 3_100
)

// newWorld makes the past: what the store holds on the recording's first day.
func newWorld(seed uint64, start time.Time) *world {
	r := random(seed, "world")
	w := &world{contacts: make([]contact, 1), conversations: make([]conversation, 1), cases: make([]supportCase, 1), casesOf: map[int64][]int64{}}
	ages := make([]time.Duration, 0, firstConversations)
	for range firstContacts {
		w.addContact(r, accountOf(r), start.Add(-between(r, 24*time.Hour, 700*24*time.Hour)))
	}
	// Conversations have rising ids in time.
	age := 300 * 24 * time.Hour
	for i := range firstConversations {
		ages = append(ages, time.Duration(float64(age)*(1-float64(i)/firstConversations)))
	}
	for _, a := range ages {
		at := start.Add(-a).Truncate(time.Second)
		acct := accountOf(r)
		id := w.addConversation(acct, w.customer(r, acct), pick(r, channels), at)
		v := w.at(id)
		v.status = "resolved"
		if a < 4*24*time.Hour && chance(r, 0.5) {
			v.status = "open"
			w.queues[acct] = append(w.queues[acct], id)
		}
		n := 2 + r.IntN(7)
		for k := range n {
			sender := "Contact"
			if k%2 == 1 {
				sender = pick(r, []string{"User", "User", "AgentBot"})
			}
			w.messages++
			m := message{id: w.messages, conversation: id, sender: sender, content: phrase(r, sender), at: at.Add(time.Duration(k) * between(r, time.Minute, time.Hour)).Truncate(time.Second)}
			if k == 0 && chance(r, 0.08) {
				m.attachment = pick(r, fileNames)
			}
			w.history = append(w.history, m)
		}
	}
	for range firstCases {
		v := w.conversations[1+r.IntN(firstConversations)]
		w.addCase(r, v.id, v.updated.Add(between(r, time.Hour, 72*time.Hour)))
	}
	return w
}

// accountOf draws the brand that a new customer belongs to.
func accountOf(r *rand.Rand) int64 {
	switch u := r.Float64(); {
	case u < 0.42:
		return 1
	case u < 0.77:
		return 2
	}
	return 3
}

func (w *world) addContact(r *rand.Rand, account int64, at time.Time) int64 {
	id := int64(len(w.contacts))
	given, family := pick(r, givenNames), pick(r, familyNames)
	w.contacts = append(w.contacts, contact{
		id: id, account: account, name: given + " " + family,
		email:   fmt.Sprintf("%s.%s%d@mail.example", given, family, id),
		phone:   fmt.Sprintf("+1555%07d", r.IntN(10_000_000)),
		created: at.Truncate(time.Second),
	})
	w.contactsOf[account] = append(w.contactsOf[account], id)
	return id
}

// customer draws who writes next: most write seldom, some often.
func (w *world) customer(r *rand.Rand, account int64) int64 {
	ids := w.contactsOf[account]
	u := r.Float64()
	return ids[int(u*u*float64(len(ids)))%len(ids)]
}

func (w *world) addConversation(account, contact int64, channel string, at time.Time) int64 {
	id := int64(len(w.conversations))
	w.conversations = append(w.conversations, conversation{id: id, account: account, contact: contact, channel: channel, status: "pending", created: at, updated: at})
	w.conversationsOf[account] = append(w.conversationsOf[account], id)
	return id
}

func (w *world) addCase(r *rand.Rand, conversationID int64, at time.Time) int64 {
	v := w.conversations[conversationID]
	id := int64(len(w.cases))
	w.cases = append(w.cases, supportCase{
		id: id, account: v.account, contact: v.contact, conversation: &v.id, status: pick(r, caseStates), priority: pick(r, priorities),
		subject: pick(r, subjects), description: phrase(r, "User"), updated: at.Truncate(time.Second),
	})
	w.casesOf[v.contact] = append(w.casesOf[v.contact], id)
	return id
}

// at is a conversation as it stands now. The pointer holds until the next
// conversation is added.
func (w *world) at(id int64) *conversation { return &w.conversations[id] }

// take hands out the conversation that has waited longest, 0 when none waits.
func (w *world) take(account int64) int64 {
	q := w.queues[account]
	if len(q) == 0 {
		return 0
	}
	w.queues[account] = q[1:]
	return q[0]
}

// recent draws one of an account's last n conversations.
func (w *world) recent(r *rand.Rand, account int64, n int) int64 {
	ids := w.conversationsOf[account]
	return ids[len(ids)-1-r.IntN(min(n, len(ids)))]
}
