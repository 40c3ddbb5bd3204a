package kafka

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

const (
	// maxState bounds what a partition's decoder may leave in the position, and
	// maxStates what all may together, in bytes. Beyond, a decoder begins anew after a
	// restart.
	maxState  = 64 << 10
	maxStates = 2 << 20
)

// position is what is committed with the events: where to go on, by topic.
type position struct {
	// Ledger tells the ledger that this position lives in from those of other members
	// of the group. It is drawn once, at random.
	Ledger string            `json:"ledger"`
	Topics map[string]*topic `json:"topics,omitempty"`
}

// topic is one topic's part.
type topic struct {
	// ID is what Kafka gave the topic when it was made, "" for brokers that give none.
	ID string `json:"id,omitempty"`
	// Gone says that the topic was not there any more, which has been told.
	Gone       bool              `json:"gone,omitempty"`
	Partitions map[int32]*cursor `json:"partitions,omitempty"`
}

// cursor is where to go on in a partition.
type cursor struct {
	// Next is the offset from which on nothing was taken.
	Next int64 `json:"next"`
	// Epoch is the leader's epoch of the last record, -1 when it is not known.
	Epoch int32 `json:"epoch"`
	// State is the decoder's.
	State json.RawMessage `json:"state,omitempty"`

	// away says that the partition is another member's now.
	away bool
}

// newPosition is that of a source that was never read.
func newPosition() *position {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return &position{Ledger: hex.EncodeToString(b[:]), Topics: map[string]*topic{}}
}

// sound says whether it is one that newPosition began, and drops what makes no sense in it.
func (p *position) sound() bool {
	if p.Ledger == "" {
		return false
	}
	if p.Topics == nil {
		p.Topics = map[string]*topic{}
	}
	for name, t := range p.Topics {
		if t == nil {
			delete(p.Topics, name)
			continue
		}
		for n, c := range t.Partitions {
			if c == nil || c.Next < 0 {
				delete(t.Partitions, n)
			}
		}
		if t.Partitions == nil {
			t.Partitions = map[int32]*cursor{}
		}
	}
	return true
}

// text is the position as it is kept.
func (p *position) text() ([]byte, error) {
	all := 0
	for _, t := range p.Topics {
		for _, c := range t.Partitions {
			if len(c.State) > maxState || all+len(c.State) > maxStates {
				c.State = nil
			}
			all += len(c.State)
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the position: %w", err)
	}
	return text, nil
}

func (p *position) cursor(name string, partition int32) *cursor {
	if t := p.Topics[name]; t != nil {
		return t.Partitions[partition]
	}
	return nil
}

// forget drops topics that are gone, while the position names too many partitions.
func (p *position) forget() {
	all := 0
	for _, t := range p.Topics {
		all += len(t.Partitions)
	}
	for name, t := range p.Topics {
		if all > 2*maxPartitions && t.Gone {
			all -= len(t.Partitions)
			delete(p.Topics, name)
		}
	}
}

// idOf writes a topic's id as Kafka's tools do, "" for none.
func idOf(id kadm.TopicID) string {
	if id == (kadm.TopicID{}) {
		return ""
	}
	return id.String()
}

// streamName is the name of a partition's stream, in the ids of its events.
func streamName(name, id string, partition int32) string {
	if id == "" {
		return fmt.Sprintf("%s/%d", name, partition)
	}
	return fmt.Sprintf("%s/%d@%s", name, partition, strings.TrimRight(id, "="))
}

// mark is what stands beside an offset that is committed to the group: whose ledger
// holds the events, and of which topic.
func mark(ledger, id string) string { return "vigil " + ledger + " " + id }

// readMark reads it back; ok is false for what another sort of client committed.
func readMark(text string) (ledger, id string, ok bool) {
	rest, ok := strings.CutPrefix(text, "vigil ")
	if !ok {
		return "", "", false
	}
	ledger, id, ok = strings.Cut(rest, " ")
	return ledger, id, ok
}
