package api

import (
	"context"
	"errors"
	"strings"
)

// Topic names something that changes and that pages show.
type Topic string

// The topics that there is one of.
const (
	// TopicQueue is the list of findings and cases.
	TopicQueue Topic = "queue"
	// TopicStatus is what the program says of itself, and of its sources.
	TopicStatus Topic = "status"
	// TopicDrills is the board of drills, and how far a running one is.
	TopicDrills Topic = "drills"
)

// FindingTopic is one finding, CaseTopic one case, by its id.
func FindingTopic(id string) Topic { return Topic("finding/" + id) }

// CaseTopic is one case by its id.
func CaseTopic(id string) Topic { return Topic("case/" + id) }

// MaxTopics bounds the topics that one who listens may name.
const MaxTopics = 8

// ID is the id of what a topic is about, empty where there is one only.
func (t Topic) ID() string {
	_, id, _ := strings.Cut(string(t), "/")
	return id
}

// Known reports whether a topic is one that can change: one of those above, with an id of
// 1 to 128 bytes where it has one.
func (t Topic) Known() bool {
	switch t {
	case TopicQueue, TopicStatus, TopicDrills:
		return true
	}
	kind, id, ok := strings.Cut(string(t), "/")
	return ok && (kind == "finding" || kind == "case") && id != "" && len(id) <= 128
}

// ErrEnding says that the program ends, and no more news comes.
var ErrEnding = errors.New("the program ends")

// Watcher tells that something changed, not what: who listens looks again.
type Watcher interface {
	// Changed waits until any of the topics has changed since mark, and returns which,
	// with the mark to ask with next. The empty mark is now. One that it does not know (of
	// an earlier run, say) counts as before everything: all topics are returned at once. So
	// nothing is missed between two calls. The error is the context's, or ErrEnding.
	Changed(ctx context.Context, mark string, topics []Topic) (changed []Topic, next string, err error)
}
