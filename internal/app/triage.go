package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/ledger"
	"vigil/internal/metrics"
	"vigil/models/triage"
)

const (
	// examplesFile is where the data folder keeps what is learnt from drills.
	examplesFile = "triage-examples.ndjson"
	// maxExample bounds one line of it, maxExampleLines their number.
	maxExample      = 1 << 20
	maxExampleLines = 10_000
	// learnLimit bounds the time of learning: what takes longer never ends.
	learnLimit = time.Minute
	// ratedAtOnce bounds the findings rated in one transaction.
	ratedAtOnce = 500
	// drillVoice is who speaks for what drills know: one voice among the analysts'.
	drillVoice = "drill"
)

// triager knows how likely findings are breaches. It learns anew when a verdict was
// given or taken back, at the next look. It is safe for concurrent use.
type triager struct {
	ledger *ledger.Ledger
	dir    string
	logger *slog.Logger

	// words counts what people have said since the start.
	words atomic.Uint64
	stale atomic.Bool
	// mu is held while it learns.
	mu    sync.Mutex
	model *triage.Model // nil while too little is known
	why   string        // what is lacking
}

func newTriager(l *ledger.Ledger, dir string, logger *slog.Logger) *triager {
	t := &triager{ledger: l, dir: dir, logger: logger}
	t.stale.Store(true)
	return t
}

// said notes that a verdict was given or taken back.
func (t *triager) said() {
	t.words.Add(1)
	t.stale.Store(true)
}

// rate adds to findings how likely they are.
func (t *triager) rate(findings ...*vigil.Finding) {
	t.mu.Lock()
	model, why := t.model, t.why
	t.mu.Unlock()
	for _, f := range findings {
		f.Triage = &vigil.Triage{Why: why}
		if model != nil {
			features := triage.Features(f)
			f.Triage = &vigil.Triage{Known: true, P: model.P(features), Why: model.Why(features)}
		}
	}
}

// refresh learns anew when that is due, and rates what is not rated yet. What fails
// is logged, and tried again at the next look: the queue is then in the order of
// harm alone.
func (t *triager) refresh(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stale.Swap(false) {
		if err := t.learn(ctx); err != nil {
			t.stale.Store(true)
			t.model, t.why = nil, "it could not be learnt just now"
			t.logger.Warn("triage could not be learnt", "error", err.Error())
		}
	}
	if t.model == nil {
		return
	}
	if err := t.rateAll(ctx); err != nil {
		t.logger.Warn("findings could not be rated", "error", err.Error())
	}
}

func (t *triager) learn(ctx context.Context) error {
	judged, err := t.ledger.Judged(ctx, judgedAtMost)
	if err != nil {
		return err
	}
	examples := verdictExamples(judged)
	staged, err := readExampleFile(filepath.Join(t.dir, examplesFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	examples = append(examples, drillExamples(staged)...)
	t.model = nil
	if _, t.why = triage.Count(examples).Suffice(); t.why == "" {
		ctx, cancel := context.WithTimeout(ctx, learnLimit)
		defer cancel()
		if t.model, err = triage.Train(ctx, examples); err != nil {
			return err
		}
	}
	return t.ledger.Unrate(ctx)
}

// rateAll notes how likely the unrated findings are.
func (t *triager) rateAll(ctx context.Context) error {
	for after := ""; ; {
		findings, err := t.ledger.Unrated(ctx, after, ratedAtOnce)
		if err != nil || len(findings) == 0 {
			return err
		}
		rated := make([]ledger.Rated, len(findings))
		for i := range findings {
			f := &findings[i]
			rated[i] = ledger.Rated{ID: f.ID, Revision: f.Revision, Likely: t.model.P(triage.Features(f))}
			after = f.ID
		}
		if err := t.ledger.Rate(ctx, rated); err != nil {
			return err
		}
	}
}

// verdictExamples are what analysts' verdicts teach. Unknown teaches nothing.
func verdictExamples(judged []vigil.Finding) []triage.Example {
	var out []triage.Example
	for i := range judged {
		f := &judged[i]
		if f.Verdict == nil || f.Verdict.Word == vigil.WordUnknown {
			continue
		}
		out = append(out, triage.Example{Features: triage.Features(f), Bad: f.Verdict.Word.Bad(), Voice: f.Verdict.By})
	}
	return out
}

// drillExamples are what drills teach.
func drillExamples(staged []drill.Example) []triage.Example {
	out := make([]triage.Example, len(staged))
	for i := range staged {
		out[i] = triage.Example{Features: triage.Features(&staged[i].Finding), Bad: staged[i].Breach, Voice: drillVoice, Group: staged[i].Staging}
	}
	return out
}

// WriteExamples writes what drills found, with what it was, one finding a line.
func WriteExamples(path string, r *drill.Result) error {
	return writeWhole(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for i := range r.Examples() {
			if err := e.Encode(&r.Examples()[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func readExampleFile(path string) ([]drill.Example, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []drill.Example
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxExample)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if len(out) >= maxExampleLines {
			return nil, fmt.Errorf("%s holds more than %d examples", path, maxExampleLines)
		}
		var e drill.Example
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("%s:%d: this is no finding of a drill: %w", path, n, err)
		}
		if e.Finding.ID == "" {
			return nil, fmt.Errorf("%s:%d: this is no finding of a drill: it has no id; write some with vigil drill run --examples", path, n)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}

// LearnExamples has the vigil of this data folder learn from drills, from now on and
// instead of those before. It returns how many examples there are.
func LearnExamples(dir string, paths []string) (int, error) {
	all, err := readExamples(paths)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(dir); err != nil {
		return 0, fmt.Errorf("keep examples: %w", err)
	}
	return len(all), writeWhole(filepath.Join(dir, examplesFile), func(w io.Writer) error {
		e := json.NewEncoder(w)
		for i := range all {
			if err := e.Encode(&all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func readExamples(paths []string) (all []drill.Example, err error) {
	for _, p := range paths {
		some, err := readExampleFile(p)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// TriageReport is how well triage tells breaches from what is none.
type TriageReport struct {
	Known bool   `json:"known"`
	Why   string `json:"why,omitempty"` // what is lacking
	// Breaches and Others are what is learnt from, Verdicts how many of them are
	// people's, by Voices.
	Breaches int     `json:"breaches"`
	Others   int     `json:"others"`
	Verdicts int     `json:"verdicts"`
	Voices   []Voice `json:"voices"`
	// AUC and the rest are of findings that were not learnt from, in five parts.
	AUC       float64      `json:"auc,omitempty"`
	AP        float64      `json:"average_precision,omitempty"`
	Confusion [2][2]int    `json:"confusion"`
	Precision float64      `json:"precision"`
	Recall    float64      `json:"recall"`
	Accuracy  float64      `json:"accuracy"`
	Bins      []triage.Bin `json:"reliability,omitempty"`
	Error     float64      `json:"calibration_error"`
	Brier     float64      `json:"brier"`
}

// Voice is one who said what findings were, and how much that weighs.
type Voice struct {
	Name   string  `json:"name"`
	Said   int     `json:"said"`
	Weight float64 `json:"weight"`
}

// Triage evaluates what can be learnt from findings with verdicts and from files of
// drills' findings.
func Triage(ctx context.Context, judged []vigil.Finding, paths []string) (TriageReport, error) {
	examples := verdictExamples(judged)
	out := TriageReport{Verdicts: len(examples)}
	staged, err := readExamples(paths)
	if err != nil {
		return out, err
	}
	examples = append(examples, drillExamples(staged)...)
	c := triage.Count(examples)
	out.Breaches, out.Others = c.Bad, c.Good
	out.voices(examples)
	if out.Known, out.Why = c.Suffice(); !out.Known {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, learnLimit)
	defer cancel()
	r, err := triage.Evaluate(ctx, examples)
	if err != nil {
		return out, err
	}
	labels := make([]bool, len(r.P))
	for i := range labels {
		labels[i] = examples[i].Bad
	}
	q, err := metrics.Measure(r.P, labels)
	if err != nil {
		return out, fmt.Errorf("measure triage: %w", err)
	}
	out.AUC, out.AP, out.Confusion, out.Precision, out.Recall, out.Accuracy = q.AUC, q.AP, r.Confusion, r.Precision, r.Recall, r.Accuracy
	out.Bins, out.Error, out.Brier = r.Bins, r.Error, r.Brier
	return out, nil
}

func (r *TriageReport) voices(examples []triage.Example) {
	at := map[string]int{}
	for i, w := range triage.Weights(examples) {
		name := examples[i].Voice
		if _, ok := at[name]; !ok {
			at[name] = len(r.Voices)
			r.Voices = append(r.Voices, Voice{Name: name})
		}
		v := &r.Voices[at[name]]
		v.Said, v.Weight = v.Said+1, v.Weight+w
	}
}
