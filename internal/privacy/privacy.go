// Package privacy replaces people's identifiers by keyed pseudonyms, before
// anything is kept or sent.
//
// The program puts [Pseudonymizer.Event] between a source and the ledger, once
// in each path: what comes out names actors, subjects, principals, sessions,
// conversations and tickets by pseudonyms only (HMAC-SHA-256 of the identifier,
// its tenant and its role), has an address's network in place of the address,
// and free text cut and cleaned. Equal identifiers give equal pseudonyms, so
// that behaviour can be learnt; nothing leads back without the key.
//
// A Pseudonymizer is safe for concurrent use. Its cache is bounded: when it is
// full the identifiers not seen for longest are computed afresh. There is
// nothing to cancel.
package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"sync"
)

// MinKey is the least length of a key, in bytes.
const MinKey = 16

// defaultCache is how many pseudonyms are remembered when nothing else is asked.
const defaultCache = 1 << 18

// shardCount spreads the cache's locks; a power of two.
const shardCount = 32

// alphabet is Crockford's base 32 in lower case: no i, l, o or u to misread.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// suffixLength is the number of characters after the prefix: 65 bits, so that
// ten million identifiers collide with a chance of about one in 700,000.
const suffixLength = 13

// kind separates the spaces of identifiers: an actor and a subject of one name
// have nothing in common.
type kind string

const (
	kindActor        kind = "actor"
	kindSubject      kind = "subject"
	kindSession      kind = "session"
	kindConversation kind = "conversation"
	kindTicket       kind = "ticket"
	kindEvent        kind = "event"
	kindPurpose      kind = "purpose"
)

// Options is what code passes to New.
type Options struct {
	// CacheSize bounds the pseudonyms remembered. Zero means 262,144.
	CacheSize int
	// Saw is told each time that an event names an actor or a customer: the pseudonym and
	// the identifier. It must not wait, and may be called at once from several goroutines.
	// Nil means that nobody is told.
	Saw func(pseudonym, id string)
}

// Pseudonymizer makes pseudonyms under one key.
type Pseudonymizer struct {
	macs   sync.Pool
	seed   maphash.Seed
	saw    func(pseudonym, id string)
	shards [shardCount]shard
}

type cacheKey struct {
	kind       kind
	tenant, id string
}

// shard is a part of the cache in two generations: when the young one is full it
// becomes the old one, and what is asked for again moves back.
type shard struct {
	mu         sync.Mutex
	young, old map[cacheKey]string
	limit      int
}

// New makes a Pseudonymizer. The key must have at least MinKey bytes.
func New(key []byte, opts Options) (*Pseudonymizer, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("the pseudonym key has %d bytes, at least %d are needed", len(key), MinKey)
	}
	if opts.CacheSize < 0 {
		return nil, errors.New("the pseudonym cache's size is negative")
	}
	if opts.CacheSize == 0 {
		opts.CacheSize = defaultCache
	}
	own := append([]byte(nil), key...)
	p := &Pseudonymizer{seed: maphash.MakeSeed(), saw: opts.Saw}
	p.macs.New = func() any { return hmac.New(sha256.New, own) }
	for i := range p.shards {
		// Two generations share the bound.
		p.shards[i].limit = max(1, opts.CacheSize/(2*shardCount))
		p.shards[i].young = map[cacheKey]string{}
	}
	return p, nil
}

// Actor returns the pseudonym of an actor's id within a tenant: "actor-" and 13
// characters. The empty id has the empty pseudonym, here and below.
func (p *Pseudonymizer) Actor(tenant, id string) string { return p.name(kindActor, tenant, id) }

// Subject returns the pseudonym of a customer's id within a tenant. A principal
// is a customer, and has the same.
func (p *Pseudonymizer) Subject(tenant, id string) string { return p.name(kindSubject, tenant, id) }

// Session returns the pseudonym of a session's id within a tenant.
func (p *Pseudonymizer) Session(tenant, id string) string { return p.name(kindSession, tenant, id) }

// Conversation returns the pseudonym of a conversation's id within a tenant.
func (p *Pseudonymizer) Conversation(tenant, id string) string {
	return p.name(kindConversation, tenant, id)
}

// Ticket returns the pseudonym of a ticket's id within a tenant.
func (p *Pseudonymizer) Ticket(tenant, id string) string { return p.name(kindTicket, tenant, id) }

func (p *Pseudonymizer) name(k kind, tenant, id string) string {
	if id == "" {
		return ""
	}
	key := cacheKey{k, tenant, id}
	s := &p.shards[maphash.String(p.seed, id)%shardCount]
	if name, ok := s.get(key); ok {
		return name
	}
	name := p.compute(k, tenant, id)
	s.put(key, name)
	return name
}

func (s *shard) get(key cacheKey) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := s.young[key]; ok {
		return name, true
	}
	name, ok := s.old[key]
	if ok {
		s.keep(key, name)
	}
	return name, ok
}

func (s *shard) put(key cacheKey, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, name)
}

// keep needs mu.
func (s *shard) keep(key cacheKey, name string) {
	if len(s.young) >= s.limit {
		s.old, s.young = s.young, make(map[cacheKey]string, s.limit)
	}
	s.young[key] = name
}

// compute makes a pseudonym of the MAC over kind, tenant and id, each with its
// length so that no two triples are one text.
func (p *Pseudonymizer) compute(k kind, tenant, id string) string {
	mac := p.macs.Get().(hash.Hash) //nolint:forcetypeassert // the pool makes nothing else
	defer p.macs.Put(mac)
	mac.Reset()
	buf := make([]byte, 0, 128)
	for _, part := range [...]string{string(k), tenant, id} {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(part)))
		buf = append(buf, part...)
	}
	mac.Write(buf)
	var sum [sha256.Size]byte
	digest := mac.Sum(sum[:0])
	out := make([]byte, 0, len(k)+1+suffixLength)
	out = append(out, k...)
	out = append(out, '-')
	hi, lo := binary.BigEndian.Uint64(digest), binary.BigEndian.Uint64(digest[8:])
	for range suffixLength - 1 {
		out = append(out, alphabet[hi>>59])
		hi <<= 5
	}
	out = append(out, alphabet[lo>>59])
	return string(out)
}
