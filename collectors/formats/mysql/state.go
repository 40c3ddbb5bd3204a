package mysql

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type savedReader struct {
	Threads []savedThread
	Second  time.Time
	Last    time.Time
	SlowDB  string
	Waiting []*waiting
	Ended   []savedEnding // the oldest first
	Records int64
}

type savedEnding struct {
	Key, Class string
	At         time.Time
}

// State is who is connected and what waits.
func (rd *reader) State() ([]byte, error) {
	st := savedReader{Threads: rd.threads.list(), Second: rd.second, Last: rd.last, SlowDB: rd.slowDB, Records: rd.records}
	for _, w := range rd.order {
		if !w.done {
			st.Waiting = append(st.Waiting, w)
		}
	}
	for i := range rd.ring {
		key := rd.ring[(rd.ringAt+i)%len(rd.ring)]
		st.Ended = append(st.Ended, savedEnding{key, rd.endings[key].class, rd.endings[key].at})
	}
	mode, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		return nil, err
	}
	return mode.Marshal(st)
}

// Restore takes it back.
func (rd *reader) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var st savedReader
	if err := cbor.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("restore who is connected: %w", err)
	}
	if len(st.Threads) > maxThreads || len(st.Waiting) > maxWaiting || len(st.Ended) > maxEnded {
		return fmt.Errorf("restore who is connected: %d threads and %d events are more than there can be", len(st.Threads), len(st.Waiting))
	}
	rd.second, rd.last, rd.slowDB, rd.records = st.Second.UTC(), st.Last.UTC(), st.SlowDB, st.Records
	rd.threads = newThreads()
	for i := len(st.Threads) - 1; i >= 0; i-- {
		rd.threads.put(st.Threads[i].ID, &st.Threads[i].thread)
	}
	rd.endings, rd.ring, rd.ringAt = make(map[string]ending), nil, 0
	for _, e := range st.Ended {
		rd.ended(e.Key, e.Class, e.At.UTC())
	}
	rd.order, rd.byKey = nil, make(map[string]*waiting)
	for _, w := range st.Waiting {
		w.Access.At = w.Access.At.UTC()
		if w.Event != nil {
			w.Event.Time = w.Event.Time.UTC()
		}
		rd.order = append(rd.order, w)
		rd.byKey[w.Key] = w
	}
	return nil
}
