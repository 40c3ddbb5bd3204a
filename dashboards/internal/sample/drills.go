package sample

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"vigil/internal/api"
)

// Driller holds drills in memory. It is safe for concurrent use.
type Driller struct {
	mu   sync.Mutex
	all  api.Drills
	asks []api.DrillAsk
}

var _ api.Driller = (*Driller)(nil)

// NewDriller holds three drills that are over, and runs one more. With texts, every text
// is one of those.
func NewDriller(texts []string) *Driller {
	d := &Driller{}
	states := []api.DrillState{api.DrillFound, api.DrillFound, api.DrillFound, api.DrillPartly, api.DrillMissed, api.DrillUnseen}
	for i := range 4 {
		began := Now().Add(-time.Duration(i) * 26 * time.Hour)
		x := api.Drill{
			ID: began.Format("20060102T150405.000Z"), By: "actor-ann", On: api.DrillRecorded, Intensity: 1, Began: began, Ended: began.Add(4*time.Minute + 12*time.Second),
			Events: 412_088, Actors: 61, From: began.AddDate(0, 0, -42), To: began, False: 0.4, TrapsQuiet: 29, Traps: 31,
		}
		for j := range 12 {
			row := api.DrillRow{
				ID: fmt.Sprintf("T%02d", j+1), Name: "Mass export by a support agent", About: "An agent exports all conversations of the day within minutes.",
				State: states[(j+i*j/3)%len(states)], Found: 1, Of: 1, Exposed: float64(3 + 40*j), Taken: 2400, Seconds: 45 * float64(j*j),
			}
			if row.State == api.DrillMissed || row.State == api.DrillUnseen {
				row.Found, row.Seconds, row.Exposed, row.Why = 0, -1, row.Taken, "The log names no conversation: switch on “log_conversation”."
			}
			x.Rows = append(x.Rows, row)
		}
		if i == 2 {
			x.Rows, x.Failed = nil, "survey traffic: there are no events to stage anything in"
		}
		if texts != nil {
			id := x.ID
			Fill(&x, texts, 7*i)
			x.ID = id
			for j := range x.Rows {
				x.Rows[j].State = states[j%len(states)]
			}
		}
		d.all.Kept = append(d.all.Kept, x)
	}
	d.all.Running = &api.DrillRunning{ID: "r", By: "actor-bo", On: api.DrillMadeUp, Began: Now(), Done: 3, Total: 8}
	d.all.Choices = []api.DrillChoice{{ID: "T01", Name: "Mass export by a support agent", About: "An agent exports all conversations."}, {ID: "T07", Name: "Stolen token of a vendor", About: "Somebody else uses it."}}
	if texts != nil {
		Fill(d.all.Running, texts, 3)
		for i := range d.all.Choices {
			Fill(&d.all.Choices[i], texts, 40+i)
		}
	}
	return d
}

// Drills implements api.Driller.
func (d *Driller) Drills(context.Context) (api.Drills, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.all
	out.Kept = slices.Clone(out.Kept)
	return out, nil
}

// StartDrill implements api.Driller.
func (d *Driller) StartDrill(_ context.Context, ask api.DrillAsk) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all.Running != nil {
		return fmt.Errorf("%w: another drill is running", api.ErrRefused)
	}
	d.asks = append(d.asks, ask)
	d.all.Running = &api.DrillRunning{ID: "r2", By: "actor-ann", On: ask.On, Began: Now()}
	return nil
}

// StopDrill implements api.Driller.
func (d *Driller) StopDrill(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all.Running != nil && d.all.Running.ID == id {
		d.all.Running = nil
	}
	return nil
}

// Asked lists what was asked for.
func (d *Driller) Asked() []api.DrillAsk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asks)
}
