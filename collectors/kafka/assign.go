package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"vigil"
)

// known is what the cluster says of the topics that are being assigned.
type known struct {
	topics       kadm.TopicDetails
	starts, ends kadm.ListedOffsets
	group        kadm.OffsetResponses
}

// assigned says where to begin in the partitions that have become ours.
func (r *reader) assigned(ctx context.Context, given map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	if len(given) == 0 {
		return given, nil
	}
	names := slices.Sorted(maps.Keys(given))
	ask, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	k, err := r.ask(ask, names)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err // the session has ended meanwhile
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fault = r.k.explain(fmt.Errorf("ask where to begin: %w", err))
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]map[int32]kgo.Offset, len(given))
	for _, name := range names {
		out[name] = r.begin(name, slices.Sorted(maps.Keys(given[name])), k)
	}
	r.first = false
	r.position.forget()
	return out, nil
}

// ask asks the cluster about topics.
func (r *reader) ask(ctx context.Context, names []string) (k known, err error) {
	meta, err := r.admin.Metadata(kadm.WithAuthorizedOps(ctx), names...)
	if err != nil {
		return k, err
	}
	k.topics = meta.Topics
	if k.starts, err = r.admin.ListStartOffsets(ctx, names...); err == nil {
		err = k.starts.Error()
	}
	if err != nil {
		return k, err
	}
	if k.ends, err = r.admin.ListEndOffsets(ctx, names...); err == nil {
		err = k.ends.Error()
	}
	if err != nil {
		return k, err
	}
	k.group, err = r.k.groupOffsets(ctx, r.admin, names)
	return k, err
}

// begin says where to begin in partitions of one topic.
func (r *reader) begin(name string, partitions []int32, k known) map[int32]kgo.Offset {
	id := idOf(k.topics[name].ID)
	t := r.position.Topics[name]
	anew := t != nil && t.ID != "" && id != "" && t.ID != id
	if anew {
		r.lapse(vigil.LapseReset, vigil.Unknown,
			"Topic %s was deleted and made anew: what the old one held and was not read yet is gone. The new one is read from its beginning.", name)
		for at := range r.streams {
			if at.topic == name {
				delete(r.streams, at)
			}
		}
	}
	// fresh says that nothing of the topic was read: only then may it begin at its end.
	fresh := r.first && t == nil
	if t == nil || anew {
		t = &topic{Partitions: map[int32]*cursor{}}
		r.position.Topics[name] = t
	}
	t.ID, t.Gone = id, false
	out := make(map[int32]kgo.Offset, len(partitions))
	for _, p := range partitions {
		at := place{name, p}
		start, _ := k.starts.Lookup(name, p)
		end, _ := k.ends.Lookup(name, p)
		c := r.from(at, t, k, anew)
		switch {
		case c == nil && fresh && r.k.cfg.Start == Latest:
			c = &cursor{Next: end.Offset, Epoch: -1}
			r.urgent = true // what comes from now on must be read, whatever befalls us
			r.pending[at] = kgo.EpochOffset{Epoch: -1, Offset: end.Offset}
		case c == nil:
			c = &cursor{Next: start.Offset, Epoch: -1}
		case c.Next < start.Offset:
			r.hole(at, c.Next, start.Offset)
			c.Next, c.Epoch = start.Offset, -1
		case c.Next > end.Offset && c.Epoch < 0:
			r.lapse(vigil.LapseReset, vigil.Unknown,
				"The log of %s/%d went back: it was read up to offset %d and now ends at %d. It is read from its beginning; what was read before counts once.",
				name, p, c.Next, end.Offset)
			c.Next, c.State = start.Offset, nil
			delete(r.streams, at)
		}
		c.away = false
		t.Partitions[p] = c
		out[p] = kgo.NewOffset().At(c.Next).WithEpoch(c.Epoch)
	}
	if len(r.batch.Lapses) > 0 {
		r.urgent = true
	}
	return out
}

// from chooses between where the ledger is and where the group is; nil for neither.
//
// The ledger is right about what it holds. The group is right where the ledger knows
// nothing, and where another member has read on, into a ledger of its own.
func (r *reader) from(at place, t *topic, k known, anew bool) *cursor {
	ours := t.Partitions[at.partition]
	g, ok := k.group.Lookup(at.topic, at.partition)
	if !ok || g.At < 0 {
		return ours
	}
	ledger, id, marked := readMark(g.Metadata)
	switch {
	case marked && id != "" && t.ID != "" && id != t.ID, !marked && anew:
		return ours // it is of the topic that was here before
	case ours == nil:
		return &cursor{Next: g.At, Epoch: g.LeaderEpoch}
	case g.At > ours.Next && marked && (ledger != r.position.Ledger || ours.away):
		delete(r.streams, at) // its decoder knows nothing of what was between
		return &cursor{Next: g.At, Epoch: g.LeaderEpoch}
	}
	return ours
}

// revoked tells the group how far the sink took, and forgets what partitions need only
// while they are ours. The client waits with it until what was polled is handed over.
func (r *reader) revoked(gone map[string][]int32, tell bool) {
	if tell {
		r.commit()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, partitions := range gone {
		for _, p := range partitions {
			at := place{name, p}
			delete(r.streams, at)
			delete(r.dirty, at)
			delete(r.pending, at)
			if c := r.position.cursor(name, p); c != nil {
				c.away = true
			}
		}
	}
}

// missed tells of topics that were read and are not there any more.
func (r *reader) missed(topics kadm.TopicDetails) {
	for _, name := range slices.Sorted(maps.Keys(r.position.Topics)) {
		t := r.position.Topics[name]
		if _, there := topics[name]; there || t.Gone || !r.k.reads(name) {
			continue
		}
		r.lapse(vigil.LapseReset, vigil.Unknown,
			"Topic %s, which was read, is not there any more, or may no longer be described: what it held and was not read yet is not seen.", name)
		t.Gone, r.urgent = true, true
	}
}

// same says whether the topics are those that are being read: the error ends the run,
// and the next one takes up what changed.
func (r *reader) same(topics kadm.TopicDetails) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, t := range r.position.Topics {
		now, there := topics[name]
		switch {
		case t.Gone || !r.k.reads(name):
		case !there:
			return fmt.Errorf("topic %s is not there any more", name)
		case t.ID != "" && idOf(now.ID) != "" && idOf(now.ID) != t.ID:
			return fmt.Errorf("topic %s was made anew", name)
		}
	}
	return nil
}

// committed is what went wrong with a commit, if anything did.
func committed(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil || resp == nil {
		return err
	}
	var all []error
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				all = append(all, fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err))
			}
		}
	}
	return errors.Join(all[:min(len(all), 3)]...)
}
