package evaluate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Calibration counts, of each model and of the merged value, how often p-values on
// quiet traffic lie below a bound: as often as the bound says, where they are
// right.
type Calibration struct {
	// Names are sorted, the merged one last.
	Names []string
	By    map[string]*Tail
	// Events is how many were counted.
	Events int
}

// The grid of bounds: so many to a decade, for so many decades.
const (
	tailSteps   = 8
	tailDecades = 6
)

// Tail is how often one model's p-values lie below each bound of the grid.
type Tail struct {
	// N counts the p-values: a model that is not asked of an event has none.
	N     int
	below [tailSteps*tailDecades + 1]int
}

func (t *Tail) add(p float64) {
	t.N++
	at := min(max(int(-math.Log10(p)*tailSteps), 0), tailSteps*tailDecades)
	for i := range at + 1 {
		t.below[i]++
	}
}

// Below is the share of p-values that are at most ten to the power of minus
// decades, which is rounded to an eighth.
func (t *Tail) Below(decades float64) float64 {
	i := min(max(int(math.Round(decades*tailSteps)), 0), tailSteps*tailDecades)
	return float64(t.below[i]) / float64(max(t.N, 1))
}

// Calibrate runs vigil score --models on quiet traffic, each written by one of the
// functions, and counts the p-values of events at or after from: before, nothing
// is known yet.
func (p Program) Calibrate(ctx context.Context, from time.Time, traffic ...func(io.Writer) error) (*Calibration, error) {
	c := &Calibration{By: map[string]*Tail{}}
	for _, write := range traffic {
		_, err := p.score(ctx, func(w io.Writer) error {
			buffered := bufio.NewWriterSize(w, 1<<20)
			if err := write(buffered); err != nil {
				return err
			}
			return buffered.Flush()
		}, func(line *eventLine) error {
			if !line.Time.Before(from) {
				c.count(line)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if c.Events == 0 {
		return nil, fmt.Errorf("calibrate: no event is of %s or later", from)
	}
	c.Names = slices.DeleteFunc(slices.Sorted(maps.Keys(c.By)), func(name string) bool { return name == mergedName })
	c.Names = append(c.Names, mergedName)
	return c, nil
}

// mergedName is the merged p-value's name among the models'.
const mergedName = "merged"

func (c *Calibration) count(line *eventLine) {
	c.Events++
	note := func(name string, p float64) {
		t := c.By[name]
		if t == nil {
			t = &Tail{}
			c.By[name] = t
		}
		t.add(p)
	}
	note(mergedName, line.P)
	for name, m := range line.Models {
		note(name, m.P)
	}
}
