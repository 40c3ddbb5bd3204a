package vault

import (
	"hash/maphash"
	"sync"
)

const (
	// seenShards spread the locks; a power of two.
	seenShards = 32
	// seenMost bounds what a shard remembers, in each of two generations: 1,048,576
	// pseudonyms together, some 40 MB. One that was forgotten is written again.
	seenMost = 1 << 14
)

// seen remembers which pseudonyms were queued today, by a hash of 64 bits: two that share one
// are so unlikely that the second may wait for tomorrow, when hashes are others. The zero
// value is ready.
type seen struct {
	seed   maphash.Seed
	once   sync.Once
	shards [seenShards]seenShard
}

type seenShard struct {
	mu         sync.Mutex
	young, old map[uint64]struct{}
	_          [64]byte // the next lock stands in a cache line of its own
}

func (s *seen) of(pseudonym string) (*seenShard, uint64) {
	s.once.Do(func() { s.seed = maphash.MakeSeed() })
	h := maphash.String(s.seed, pseudonym)
	return &s.shards[h%seenShards], h
}

// first takes note of a pseudonym and reports whether it is new.
func (s *seen) first(pseudonym string) bool {
	shard, h := s.of(pseudonym)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if _, ok := shard.young[h]; ok {
		return false
	}
	_, known := shard.old[h]
	if shard.young == nil || len(shard.young) >= seenMost {
		shard.old, shard.young = shard.young, make(map[uint64]struct{}, 64)
	}
	shard.young[h] = struct{}{}
	return !known
}

func (s *seen) forget(pseudonym string) {
	shard, h := s.of(pseudonym)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	delete(shard.young, h)
	delete(shard.old, h)
}

func (s *seen) clear() {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		shard.young, shard.old = nil, nil
		shard.mu.Unlock()
	}
}
