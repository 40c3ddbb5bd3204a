package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
	"vigil/internal/api"
)

const (
	// entriesAtOnce is how many entries of the log are read at once.
	entriesAtOnce = 64
	// maxKept bounds the findings that are held; further ones are counted.
	maxKept = 200_000
	// Settle is how long after a time, in event time, what was done in it may still be
	// declared: the week's span closes last. What lies so far around is compared too.
	Settle = 9 * 24 * time.Hour
)

// Log is the recorded history.
type Log interface {
	// Entries returns the log after an entry, in order, at most max; none when there is
	// nothing newer. The events belong to the caller.
	Entries(ctx context.Context, after uint64, max int) ([]vigil.Entry, error)
}

// Task says what is judged again, and beside what.
type Task struct {
	// From and To bound when the compared findings were declared, the second excluded.
	From, To time.Time
	// Detector and Rules are the setting. OwnBudget says that Detector.Budget holds
	// throughout: the log's changes of it are passed over.
	Detector  detector.Config
	Rules     *rules.Set
	OwnBudget bool
	// Changed says that the setting is another than was live.
	Changed bool
	// After is the entry from which on is judged, and State the engine's state by then,
	// nil for none. Facts is what feeds had told by then, where there is no more of the
	// state; nil for none.
	After        uint64
	State, Facts []detector.Part
	// Last is the newest entry that is judged.
	Last uint64
	// Live are the findings that were declared live from From less Settle until To and
	// Settle. Judged are those, of whatever time, of which people said something.
	Live, Judged []vigil.Finding
	// Workers is how many goroutines judge; zero means as many as there are cores.
	Workers int
	// Progress gets how much is done, 0 to 1; nil for none.
	Progress func(done float64)
}

// Run judges the log again and compares. The same log and task give the same report.
func Run(ctx context.Context, log Log, t Task) (*api.ReplayReport, error) {
	if !t.From.Before(t.To) {
		return nil, errors.New("the time to judge again ends before it begins")
	}
	j, err := judge(ctx, log, &t, nil)
	if err != nil {
		return nil, err
	}
	missed := j.missedBreaches()
	if len(missed) > 0 {
		// What they taught stands under a verdict of breach.
		if j, err = judge(ctx, log, &t, missed); err != nil {
			return nil, err
		}
	}
	r := &api.ReplayReport{
		From: t.From.UTC(), To: t.To.UTC(), Began: j.began, Events: j.status.Events, Changed: t.Changed, Budget: j.status.Budget,
		Lanes: []api.ReplayLane{}, Differences: []api.ReplayDifference{},
	}
	r.Models = modelsOf(j.engine)
	compare(r, near(&t, storiesOf(t.Live)), near(&t, j.stories()), storiesOf(t.Judged))
	if len(missed) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d breaches that people confirmed are not found with this setting; their accesses were kept out of what it learns", len(missed)))
	}
	if j.dropped > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d findings are more than can be held and are left out", j.dropped))
	}
	if j.status.Unread > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d control records of the log can't be read and are left out", j.status.Unread))
	}
	return r, nil
}

// near leaves out what was declared too far from the task's time to matter.
func near(t *Task, all []*story) (out []*story) {
	from, to := t.From.Add(-Settle), t.To.Add(Settle)
	for _, s := range all {
		if !s.Detected.Before(from) && s.Detected.Before(to) {
			out = append(out, s)
		}
	}
	return out
}

func storiesOf(findings []vigil.Finding) (out []*story) {
	for i := range findings {
		out = append(out, storyOf(&findings[i]))
	}
	return out
}

// judging is one pass over the log.
type judging struct {
	task   *Task
	engine *detector.Engine
	found  map[string]*story
	// said are the live findings of which people said something, by id.
	said map[string]*story
	// missed are the breaches that were confirmed by the log and that this pass had not
	// found by then, by the live finding's id.
	missed  map[string]detector.Untaught
	began   time.Time
	dropped int64
	status  detector.Status
	passes  float64 // passes before this one
}

func judge(ctx context.Context, log Log, t *Task, untaught []detector.Untaught) (*judging, error) {
	engine, err := detector.New(t.Detector, detector.Options{Workers: t.Workers, Rules: t.Rules, Untaught: untaught, Tally: t.tally()})
	if err != nil {
		return nil, fmt.Errorf("set up detector: %w", err)
	}
	if t.State != nil {
		err = engine.Restore(t.State)
	} else if t.Facts != nil {
		err = engine.Assume(t.Facts)
	}
	if err != nil {
		return nil, fmt.Errorf("begin from what was kept: %w", err)
	}
	j := &judging{task: t, engine: engine, found: map[string]*story{}, said: map[string]*story{}, missed: map[string]detector.Untaught{}}
	for _, s := range storiesOf(t.Judged) {
		j.said[s.ID] = s
	}
	if len(untaught) > 0 {
		j.passes = 1
	}
	if err := j.fold(ctx, log); err != nil {
		return nil, err
	}
	j.status = engine.Status()
	return j, nil
}

// fold judges entry by entry, until nothing that is yet to come can be declared within the
// task's time.
func (j *judging) fold(ctx context.Context, log Log) error {
	t := j.task
	for seq := t.After; seq < t.Last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := log.Entries(ctx, seq, entriesAtOnce)
		if err != nil {
			return fmt.Errorf("read the log after entry %d: %w", seq, err)
		}
		if len(entries) == 0 {
			break
		}
		for i := range entries {
			e := &entries[i]
			if e.Seq > t.Last {
				return nil
			}
			seq = e.Seq
			if err := j.entry(e); err != nil {
				return fmt.Errorf("judge entry %d again: %w", e.Seq, err)
			}
		}
		if t.Progress != nil {
			t.Progress((j.passes + float64(seq-t.After)/float64(t.Last-t.After)) / (j.passes + 1))
		}
		if j.engine.Status().Watermark.After(t.To.Add(Settle)) {
			break
		}
	}
	return nil
}

func (j *judging) entry(e *vigil.Entry) error {
	if j.began.IsZero() {
		for _, ev := range e.Events {
			if j.began.IsZero() || ev.Time.Before(j.began) {
				j.began = ev.Time
			}
		}
	}
	if e.Kind == vigil.EntryControl {
		switch e.Control.Type {
		case vigil.ControlBudget:
			if j.task.OwnBudget {
				return nil
			}
		case vigil.ControlVerdict:
			if j.task.Changed {
				if err := j.lead(e); err != nil {
					return err
				}
			}
		}
	}
	return j.take(e)
}

// take folds an entry and holds what came of it.
func (j *judging) take(e *vigil.Entry) error {
	found, err := j.engine.Fold(e)
	if err != nil {
		return err
	}
	for i := range found {
		f := &found[i]
		old := j.found[f.ID]
		if old == nil && len(j.found) >= maxKept {
			j.dropped++
			continue
		}
		if old == nil || f.Revision >= old.revision {
			j.found[f.ID] = storyOf(f)
		}
	}
	return nil
}

// lead has a verdict hold for the finding that tells here what the live one told, and
// notes a confirmed breach for which there is none.
func (j *judging) lead(e *vigil.Entry) error {
	var v vigil.Verdict
	if json.Unmarshal(e.Control.Data, &v) != nil {
		return nil // the engine counts it
	}
	delete(j.missed, v.Finding)
	if j.found[v.Finding] != nil {
		return nil
	}
	live := j.said[v.Finding]
	if live == nil {
		live = &story{key: key{about: v.About, who: v.Actor, tenant: v.Tenant}, end: v.End}
		live.Start = v.Start
	}
	var same *story
	for _, s := range j.found {
		if s.key == live.key && s.meets(live) && (same == nil || earlier(s, same)) {
			same = s
		}
	}
	if same == nil {
		if v.Word.Bad() && live.key.about == vigil.AboutActor {
			j.missed[v.Finding] = detector.Untaught{Tenant: v.Tenant, Actor: v.Actor, From: v.Start, To: v.End}
		}
		return nil
	}
	v.Finding, v.Start, v.End = same.ID, same.Start, same.end
	data, err := json.Marshal(&v)
	if err != nil {
		return err
	}
	led := *e
	led.Control.Data = data
	return j.take(&led)
}

func earlier(a, b *story) bool {
	if c := a.Detected.Compare(b.Detected); c != 0 {
		return c < 0
	}
	return a.ID < b.ID
}

func (j *judging) missedBreaches() []detector.Untaught {
	var out []detector.Untaught
	for _, u := range j.missed {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b detector.Untaught) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return strings.Compare(a.Tenant+"\x00"+a.Actor, b.Tenant+"\x00"+b.Actor)
	})
	return out
}

func (j *judging) stories() (out []*story) {
	for _, s := range j.found {
		out = append(out, s)
	}
	return inOrder(out)
}
