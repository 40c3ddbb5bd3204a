package collectorstest_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
)

// list is the simplest peer there is: records in memory, read by their index.
type list struct {
	mu    sync.Mutex
	lines [][]byte
}

func (l *list) Write(_ context.Context, rs ...collectorstest.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rs {
		l.lines = append(l.lines, r.Line())
	}
	return nil
}

func (l *list) from(n int) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[n:min(len(l.lines), n+30)]
}

func (l *list) Collector() (collectors.Collector, error) { return l, nil }

func (l *list) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	at := 0
	if position != nil {
		if err := json.Unmarshal(position, &at); err != nil {
			at = 0
		}
	}
	s := decode.NewStream(&decode.Config{Source: "list", Formats: catalog.All(), Format: "native"}, "list")
	for ctx.Err() == nil {
		b := collectors.Batch{Source: "list"}
		for i, line := range l.from(at) {
			s.Message(int64(at+i), line, time.Now(), &b)
		}
		at += b.Len()
		b.Position, _ = json.Marshal(at) // a number can be written
		if b.Len() == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
			continue
		}
		if err := sink.Accept(ctx, b); err != nil && ctx.Err() == nil {
			return err
		} else if err != nil {
			return nil
		}
	}
	return nil
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "list", Peer: func(*testing.T) collectorstest.Peer { return &list{} }})
}
