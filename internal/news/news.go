// Package news passes on that something changed, from where it is made durable to the
// pages that show it.
//
// A Hub keeps no list of messages and no queue for anybody who listens: only the number of
// the latest change of each topic. Who listens asks what changed since the number that it
// was given last, so that a slow one gets less news rather than old news, one that comes
// back after a broken connection misses nothing, and nobody who listens can make the
// program remember more. At most maxTopics topics are remembered; then all are forgotten,
// and who asks about an older number is told that everything changed.
//
// A Hub is safe for concurrent use. Publish never waits for anybody.
package news

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"

	"vigil/internal/api"
)

// maxTopics bounds the topics whose latest change is remembered.
const maxTopics = 4096

// Hub passes on what changed.
type Hub struct {
	// run tells the numbers of one run of the program from those of another.
	run string

	mu sync.Mutex
	// now is the number of the latest change; last that of each topic, and floor the
	// number up to which topics were forgotten.
	now, floor uint64
	last       map[api.Topic]uint64
	// waiting are the wake-up calls of those who wait for a topic.
	waiting map[api.Topic]map[chan struct{}]struct{}
	ended   chan struct{}
}

var _ api.Watcher = (*Hub)(nil)

// New makes a hub.
func New() *Hub {
	return &Hub{
		run: rand.Text()[:8], last: map[api.Topic]uint64{}, waiting: map[api.Topic]map[chan struct{}]struct{}{}, ended: make(chan struct{}),
	}
}

// Publish says that topics changed.
func (h *Hub) Publish(topics ...api.Topic) {
	if len(topics) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now++
	for _, t := range topics {
		if _, known := h.last[t]; !known && len(h.last) >= maxTopics {
			clear(h.last)
			h.floor = h.now
		}
		h.last[t] = h.now
		for wake := range h.waiting[t] {
			select {
			case wake <- struct{}{}:
			default: // it is awake already
			}
		}
	}
}

// End lets everybody go who waits, for good.
func (h *Hub) End() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.ended:
	default:
		close(h.ended)
	}
}

// Changed implements api.Watcher.
func (h *Hub) Changed(ctx context.Context, mark string, topics []api.Topic) (changed []api.Topic, next string, err error) {
	wake := make(chan struct{}, 1)
	since, known := h.begin(mark, topics, wake)
	defer h.leave(topics, wake)
	for {
		if changed, next = h.since(since, known, topics); len(changed) > 0 {
			return changed, next, nil
		}
		select {
		case <-wake:
		case <-h.ended:
			return nil, next, api.ErrEnding
		case <-ctx.Done():
			return nil, next, ctx.Err()
		}
	}
}

// begin reads a mark, and has wake called for topics from now on.
func (h *Hub) begin(mark string, topics []api.Topic, wake chan struct{}) (since uint64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range topics {
		if h.waiting[t] == nil {
			h.waiting[t] = map[chan struct{}]struct{}{}
		}
		h.waiting[t][wake] = struct{}{}
	}
	if mark == "" {
		return h.now, true
	}
	run, number, _ := strings.Cut(mark, "-")
	since, err := strconv.ParseUint(number, 10, 64)
	return since, run == h.run && err == nil && since <= h.now && since >= h.floor
}

func (h *Hub) leave(topics []api.Topic, wake chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range topics {
		delete(h.waiting[t], wake)
		if len(h.waiting[t]) == 0 {
			delete(h.waiting, t)
		}
	}
}

// since lists the topics that changed after a number: all where it is not known, or where
// topics were forgotten meanwhile.
func (h *Hub) since(n uint64, known bool, topics []api.Topic) (changed []api.Topic, next string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next = h.run + "-" + strconv.FormatUint(h.now, 10)
	if !known || n < h.floor {
		return slices.Clone(topics), next
	}
	for _, t := range topics {
		if h.last[t] > n {
			changed = append(changed, t)
		}
	}
	return changed, next
}
