package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// stampLayout is how %m looks with log_timezone UTC.
const stampLayout = "2006-01-02 15:04:05.000 MST"

// stampLen is its length.
const stampLen = len("2026-10-05 08:14:05.123 UTC")

// rewriter moves the times in the server's log from when it really ran to
// simulated time. Nothing but times changes: the stamp at a line's start, the
// length of a session in its last line, and when the server was last stopped.
type rewriter struct {
	steps []step
	// at is the step that wrote the current line.
	at int
	// last is the stamp of the line before: stamps never go back.
	last time.Time
	// begun is when each server process took its connection.
	begun map[int]time.Time
	lines int64
}

// rewrite copies the log from r to w and returns the number of lines.
func rewrite(r io.Reader, w io.Writer, steps []step) (lines int64, err error) {
	if len(steps) == 0 {
		return 0, errors.New("nothing was recorded")
	}
	rw := &rewriter{steps: steps, begun: map[int]time.Time{}}
	in, out := bufio.NewReaderSize(r, 1<<20), bufio.NewWriterSize(w, 1<<20)
	var offset int64
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			moved, merr := rw.line(line, offset)
			if merr != nil {
				return rw.lines, fmt.Errorf("move the times of line %d: %w", rw.lines+1, merr)
			}
			if _, werr := out.Write(moved); werr != nil {
				return rw.lines, fmt.Errorf("write the log: %w", werr)
			}
			offset += int64(len(line))
			rw.lines++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rw.lines, fmt.Errorf("read the log: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return rw.lines, fmt.Errorf("write the log: %w", err)
	}
	return rw.lines, nil
}

// line returns one line with its times moved.
func (rw *rewriter) line(line []byte, offset int64) ([]byte, error) {
	if line[0] == '\t' {
		return line, nil // the rest of a statement
	}
	if len(line) < stampLen {
		return nil, fmt.Errorf("no time at the start of %q", line)
	}
	wrote, err := time.Parse(stampLayout, string(line[:stampLen]))
	if err != nil {
		return nil, fmt.Errorf("read the time of %q: %w", line, err)
	}
	for rw.at < len(rw.steps)-1 && offset >= rw.steps[rw.at].end {
		rw.at++
	}
	s := rw.steps[rw.at]
	// The stamp is cut to the millisecond, the step's start is not.
	sim := s.sim.Add(max(0, wrote.Sub(s.real.Truncate(time.Millisecond)))).Truncate(time.Millisecond)
	if rw.at+1 < len(rw.steps) && sim.After(rw.steps[rw.at+1].sim) {
		// A step that took longer than the simulated gap after it ends with it.
		sim = rw.steps[rw.at+1].sim.Truncate(time.Millisecond)
	}
	if sim.Before(rw.last) {
		sim = rw.last
	}
	rw.last = sim
	out := append([]byte(sim.Format(stampLayout)), line[stampLen:]...)
	return rw.session(rw.shutdown(out, s), sim), nil
}

// shutdown moves the time at which the server, on starting, says that it was
// last stopped.
func (rw *rewriter) shutdown(line []byte, s step) []byte {
	const mark = "LOG:  database system was shut down at "
	i := bytes.Index(line, []byte(mark))
	if i < 0 {
		return line
	}
	i += len(mark)
	const layout = "2006-01-02 15:04:05 MST"
	stopped, err := time.Parse(layout, string(bytes.TrimRight(line[i:], "\n")))
	if err != nil {
		return line
	}
	return append(append([]byte{}, line[:i]...), s.sim.Add(stopped.Sub(s.real)).Format(layout)+"\n"...)
}

// session remembers when a connection came, and corrects how long it lasted when
// it goes.
func (rw *rewriter) session(line []byte, sim time.Time) []byte {
	pid, ok := pidOf(line)
	if !ok {
		return line
	}
	if bytes.Contains(line, []byte("LOG:  connection received: ")) {
		rw.begun[pid] = sim
		return line
	}
	const mark = "LOG:  disconnection: session time: "
	i := bytes.Index(line, []byte(mark))
	begun, known := rw.begun[pid]
	if i < 0 || !known {
		return line
	}
	delete(rw.begun, pid)
	i += len(mark)
	n := bytes.IndexByte(line[i:], ' ')
	if n < 0 {
		return line
	}
	d := sim.Sub(begun)
	text := fmt.Sprintf("%d:%02d:%02d.%03d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, d.Milliseconds()%1000)
	out := append([]byte{}, line[:i]...)
	out = append(out, text...)
	return append(out, line[i+n:]...)
}

// pidOf reads the process id that stands in brackets after the time.
func pidOf(line []byte) (int, bool) {
	rest := line[stampLen:]
	if len(rest) < 4 || rest[0] != ' ' || rest[1] != '[' {
		return 0, false
	}
	end := bytes.IndexByte(rest, ']')
	if end < 0 {
		return 0, false
	}
	pid, err := strconv.Atoi(string(rest[2:end]))
	return pid, err == nil
}
