// Package evaluate measures how well vigil tells what is labelled as an attack in
// public data sets: it turns the sets into vigil's own events, runs the program on
// them with its default settings, compares every score it prints with the labels, and writes the tables
// of the documentation. Other programs' isolation forests are run beside it.
//
// tools/benchdetection calls it. Sets are streamed through the program; what is
// held is a label and a few numbers per event. Calls run one after the other,
// since processor time is measured too, and end when their context does.
package evaluate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// Program is a built vigil.
type Program struct {
	// Command is the executable, and what stands ahead of the subcommand.
	Command []string
}

// command is vigil with arguments.
func (p Program) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.Command[0], append(slices.Clone(p.Command[1:]), args...)...)
}

// Build compiles vigil from the module in root into dir.
func Build(ctx context.Context, root, dir string) (Program, error) {
	path := filepath.Join(dir, "vigil")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/vigil")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Program{}, fmt.Errorf("build vigil: %w\n%s", err, out)
	}
	return Program{Command: []string{path}}, nil
}

// score runs vigil score --models on what feed writes and gives each line to use,
// while both go on. It returns the processor time of the program.
func (p Program) score(ctx context.Context, feed func(io.Writer) error, use func(*eventLine) error) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := p.command(ctx, "score", "--models", "--quiet", "-")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("reach vigil: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("reach vigil: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start vigil: %w", err)
	}
	fed := make(chan error, 1)
	go func() {
		err := feed(in)
		if err != nil {
			cancel() // half a set is none
		}
		fed <- errors.Join(err, in.Close())
	}()
	readErr := readLines(out, use)
	if readErr != nil {
		cancel()
	}
	feedErr := <-fed
	waitErr := cmd.Wait()
	if err := errors.Join(readErr, feedErr, waitErr); err != nil {
		return 0, fmt.Errorf("run vigil score: %w\n%s", err, errs.Bytes())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// readLines gives each score that is read to use.
func readLines(r io.Reader, use func(*eventLine) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	for lines.Scan() {
		var l eventLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("read a score: %w", err)
		}
		if err := use(&l); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read scores: %w", err)
	}
	return nil
}

// modelScore is what a score line says of one model.
type modelScore struct {
	Score float64 `json:"score"`
	P     float64 `json:"p"`
}

// eventLine is what is read of a line of vigil score --models.
type eventLine struct {
	ID       string                `json:"id"`
	Time     time.Time             `json:"time"`
	P        float64               `json:"p"`
	Surprise float64               `json:"surprise"`
	Models   map[string]modelScore `json:"models"`
}

// Scores are the labels of a set and, by name, a score per event. Higher is more
// suspicious.
type Scores struct {
	Labels []bool
	// Names are in the order of first appearance, models sorted.
	Names []string
	By    map[string][]float64
	// CPU is the processor time of the program, Events how many it judged.
	CPU    time.Duration
	Events int
}

// set notes the score of event i under a name.
func (s *Scores) set(name string, i int, score float64) {
	c, ok := s.By[name]
	if !ok {
		s.Names = append(s.Names, name)
	}
	if i >= len(c) {
		c = append(c, make([]float64, i+1-len(c))...)
	}
	c[i] = score
	s.By[name] = c
}

// complete gives every event that got no score a 0.
func (s *Scores) complete(labels []bool) error {
	s.Labels = labels
	for name, c := range s.By {
		if len(c) > len(labels) {
			return fmt.Errorf("score events: vigil names event %d of %d", len(c)-1, len(labels))
		}
		s.By[name] = append(c, make([]float64, len(labels)-len(c))...)
	}
	return nil
}

// The name of vigil's merged score.
const merged = "merged p"

// maxEvents bounds the events of a set.
const maxEvents = 1 << 28

// Events is a set in the making: Write writes all events as native lines, with the
// event's number as id, and returns the labels by number.
type Events func(w io.Writer) (labels []bool, err error)

// Score runs vigil score --models on the events, which are written while the
// scores are read.
func (p Program) Score(ctx context.Context, events Events) (*Scores, error) {
	s := &Scores{By: map[string][]float64{}}
	var labels []bool
	cpu, err := p.score(ctx, func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<20)
		var err error
		if labels, err = events(buffered); err != nil {
			return err
		}
		return buffered.Flush()
	}, s.take)
	if err != nil {
		return nil, err
	}
	if s.Events == 0 {
		return nil, errors.New("run vigil score: it gave no score")
	}
	s.CPU = cpu
	if err := s.complete(labels); err != nil {
		return nil, err
	}
	return s, nil
}

// take notes the scores of one line.
func (s *Scores) take(l *eventLine) error {
	i, err := strconv.Atoi(l.ID)
	if err != nil || i < 0 || i >= maxEvents {
		return fmt.Errorf("read a score: no event has the id %q", l.ID)
	}
	s.Events++
	s.set(merged, i, l.Surprise)
	for _, name := range slices.Sorted(maps.Keys(l.Models)) {
		s.set(name+" score", i, l.Models[name].Score)
		s.set(name+" p", i, 1-l.Models[name].P) // a model that has nothing to judge says as much as a p of one
	}
	return nil
}
