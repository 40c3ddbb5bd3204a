package file

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// maxRuns bounds the runs that are merged at once; more are first merged into
// one. Each holds a buffer of runBuffer bytes while merging.
const (
	maxRuns   = 256
	runBuffer = 64 << 10
)

// sorter sorts any number of events by time in bounded memory: it keeps what
// fits, and writes sorted runs to one temporary file that has no name any more,
// so that nothing is left behind however the program ends.
type sorter struct {
	dir string
	// limit bounds what is held, in bytes by estimate.
	limit int64
	// backwards says that the input runs from new to old, so that of equal
	// times the later came first.
	backwards bool

	held   []*vigil.Event
	weight int64
	file   *os.File
	w      *bufio.Writer
	at     int64
	runs   []run
	buf    []byte
}

// run is a sorted stretch of the temporary file.
type run struct{ from, to int64 }

func (s *sorter) add(e *vigil.Event) error {
	s.held = append(s.held, e)
	s.weight += weight(e)
	if s.weight > s.limit {
		return s.spill()
	}
	return nil
}

func (s *sorter) sortHeld() {
	if s.backwards {
		slices.Reverse(s.held)
	}
	slices.SortStableFunc(s.held, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
}

// spill writes what is held as one run.
func (s *sorter) spill() error {
	if len(s.held) == 0 {
		return nil
	}
	s.sortHeld()
	if s.file == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	from := s.at
	for _, e := range s.held {
		if err := s.write(e); err != nil {
			return err
		}
	}
	if err := s.endRun(from); err != nil {
		return err
	}
	clear(s.held)
	s.held, s.weight = s.held[:0], 0
	if len(s.runs) >= maxRuns {
		return s.compact()
	}
	return nil
}

func (s *sorter) open() error {
	f, err := os.CreateTemp(s.dir, "vigil-sort-*")
	if err != nil {
		return fmt.Errorf("make a temporary file to sort in: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(fmt.Errorf("hide the temporary file: %w", err), f.Close())
	}
	s.file, s.w = f, bufio.NewWriterSize(f, runBuffer)
	return nil
}

func (s *sorter) write(e *vigil.Event) error {
	s.buf = append(s.buf[:0], 0, 0, 0, 0)
	s.buf = appendEvent(s.buf, e)
	binary.BigEndian.PutUint32(s.buf, uint32(len(s.buf)-4))
	n, err := s.w.Write(s.buf)
	s.at += int64(n)
	if err != nil {
		return spillError(s.file.Name(), err)
	}
	return nil
}

func (s *sorter) endRun(from int64) error {
	if err := s.w.Flush(); err != nil {
		return spillError(s.file.Name(), err)
	}
	s.runs = append(s.runs, run{from, s.at})
	return nil
}

func spillError(name string, err error) error {
	return fmt.Errorf("sort on disk (in the folder of %s): %w: make room there, or name another folder for temporary files", name, text.PlainError(err))
}

// compact merges all runs into one, so that their number stays bounded.
func (s *sorter) compact() error {
	from := s.at
	m, err := s.merge()
	if err != nil {
		return err
	}
	for {
		e, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.write(e); err != nil {
			return err
		}
	}
	s.runs = s.runs[:0]
	return s.endRun(from)
}

// sorted ends the adding and returns the events in order. keep bounds what may
// stay in memory while they are read, in bytes.
func (s *sorter) sorted(keep int64) (eventSource, error) {
	if s.file == nil && s.weight <= keep {
		s.sortHeld()
		return &heldEvents{events: s.held}, nil
	}
	if err := s.spill(); err != nil {
		return nil, err
	}
	s.held = nil
	return s.merge()
}

func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// eventSource gives events in order, then io.EOF.
type eventSource interface {
	next() (*vigil.Event, error)
}

type heldEvents struct{ events []*vigil.Event }

func (h *heldEvents) next() (*vigil.Event, error) {
	if len(h.events) == 0 {
		return nil, io.EOF
	}
	e := h.events[0]
	h.events[0] = nil
	h.events = h.events[1:]
	return e, nil
}

// merge starts a merge of all runs.
func (s *sorter) merge() (*runMerge, error) {
	m := &runMerge{backwards: s.backwards}
	for i, r := range s.runs {
		c := &runCursor{number: i, r: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), runBuffer)}
		ok, err := c.advance()
		if err != nil {
			return nil, err
		}
		if ok {
			m.cursors = append(m.cursors, c)
		}
	}
	heap.Init(m)
	return m, nil
}

type runCursor struct {
	number int
	r      *bufio.Reader
	buf    []byte
	intern formats.Interner
	head   *vigil.Event
}

func (c *runCursor) advance() (bool, error) {
	var err error
	if c.buf, err = readFrame(c.r, c.buf); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, err
	}
	cur := cursor{b: c.buf, intern: c.intern.String}
	c.head, err = cur.event()
	return err == nil, err
}

// runMerge is a heap of runs by their first event.
type runMerge struct {
	cursors   []*runCursor
	backwards bool
}

func (m *runMerge) Len() int { return len(m.cursors) }
func (m *runMerge) Less(i, j int) bool {
	a, b := m.cursors[i], m.cursors[j]
	if c := a.head.Time.Compare(b.head.Time); c != 0 {
		return c < 0
	}
	if m.backwards {
		return a.number > b.number
	}
	return a.number < b.number
}
func (m *runMerge) Swap(i, j int) { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }
func (m *runMerge) Push(x any)    { m.cursors = append(m.cursors, x.(*runCursor)) }
func (m *runMerge) Pop() any {
	last := m.cursors[len(m.cursors)-1]
	m.cursors = m.cursors[:len(m.cursors)-1]
	return last
}

func (m *runMerge) next() (*vigil.Event, error) {
	if len(m.cursors) == 0 {
		return nil, io.EOF
	}
	c := m.cursors[0]
	e := c.head
	ok, err := c.advance()
	if err != nil {
		return nil, err
	}
	if ok {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return e, nil
}
