package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

const (
	// sparkHours is how many past hours of a source are drawn, usualDays the days from
	// which is known what is usual in an hour.
	sparkHours = 24
	usualDays  = 28
	// sourceFindings bounds the open findings about sources that are looked through, and
	// sourceFew those that are named of one.
	sourceFindings = 2_000
	sourceFew      = 10
	// healthKept is for how long what a look at sources costs is kept: an open page asks
	// every few seconds.
	healthKept = 15 * time.Second
)

// sourceLook is what the ledger tells of sources that is too much to ask for often.
type sourceLook struct {
	hours    map[string][]int64 // sparkHours of them, and then those that are usual
	usual    int                // how many
	findings map[string][]api.SourceFinding
}

// sourceWatch keeps the newest look for a while. It is safe for concurrent use.
type sourceWatch struct {
	mu   sync.Mutex
	at   time.Time
	look *sourceLook
}

func (w *sourceWatch) get(ctx context.Context, l *ledger.Ledger, clock, now time.Time) (*sourceLook, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.look != nil && clock.Sub(w.at).Abs() < healthKept {
		return w.look, nil
	}
	look, err := lookAtSources(ctx, l, now)
	if err != nil {
		return nil, err
	}
	w.look, w.at = look, clock
	return look, nil
}

// lookAtSources counts and reads, as of now in event time.
func lookAtSources(ctx context.Context, l *ledger.Ledger, now time.Time) (*sourceLook, error) {
	hour := now.UTC().Truncate(time.Hour).Add(-time.Hour)
	var hours []time.Time
	for i := range sparkHours {
		hours = append(hours, hour.Add(time.Duration(i+1-sparkHours)*time.Hour))
	}
	weekend := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	for d := 1; d <= usualDays; d++ {
		if at := hour.AddDate(0, 0, -d); weekend(at) == weekend(hour) {
			hours = append(hours, at)
		}
	}
	look := &sourceLook{findings: map[string][]api.SourceFinding{}}
	var begin time.Time
	var err error
	if look.hours, begin, err = l.HourlyEvents(ctx, hours); err != nil {
		return nil, err
	}
	for _, at := range hours[sparkHours:] {
		if !begin.IsZero() && !at.Before(begin) {
			look.usual++
		}
	}
	found, err := l.OpenOnSources(ctx, sourceFindings)
	if err != nil {
		return nil, err
	}
	for i := range found {
		look.take(&found[i])
	}
	return look, nil
}

func (s *sourceLook) take(f *vigil.Finding) {
	names := f.Sources
	if len(names) == 0 {
		names = []string{f.Source}
	}
	for _, name := range names {
		if len(s.findings[name]) < sourceFew {
			s.findings[name] = append(s.findings[name], api.SourceFinding{ID: f.ID, Severity: f.Severity, Sentence: f.Sentence, Silence: f.Rule == ""})
		}
	}
}

// fill adds to a source what the look tells, and says in which state it is.
func (s *sourceLook) fill(src *api.Source, now time.Time) {
	src.Usual = float64(vigil.Unknown)
	src.PerHour = make([]int64, sparkHours)
	if counts := s.hours[src.Name]; counts != nil {
		copy(src.PerHour, counts)
		if s.usual > 0 {
			sum := int64(0)
			for _, n := range counts[sparkHours:] {
				sum += n
			}
			src.Usual = float64(sum) / float64(s.usual)
		}
	}
	src.Findings = s.findings[src.Name]
	if !src.Last.IsZero() && src.Accepted.After(src.Last) {
		src.Lag = src.Accepted.Sub(src.Last)
	}
	silent := slices.ContainsFunc(src.Findings, func(f api.SourceFinding) bool { return f.Silence })
	switch {
	case src.Fault != "":
		src.State = api.SourceFailing
	case silent:
		src.State = api.SourceSilent
	case src.Events == 0 && src.Quarantined == 0:
		src.State = api.SourceNever
	case src.Lag > behind && now.Sub(src.Accepted) < 10*behind:
		src.State = api.SourceBehind
	default:
		src.State = api.SourceReading
	}
}

// sourcesOf lists the sources of a configuration, and those of which the ledger knows
// besides.
func sourcesOf(cfg *config.Config, stats []ledger.SourceStats, faults map[string]string, look *sourceLook, now time.Time) []api.Source {
	byName := map[string]*api.Source{}
	for i := range cfg.Sources {
		byName[cfg.Sources[i].Name] = &api.Source{Name: cfg.Sources[i].Name}
	}
	for _, s := range stats {
		byName[s.Name] = &api.Source{
			Name: s.Name, Events: s.Events, Duplicates: s.Duplicates, Quarantined: s.Quarantined, Last: s.LastEvent, Accepted: s.LastAccepted,
			QuarantineReasons: s.Reasons,
		}
	}
	out := make([]api.Source, 0, len(byName))
	for name, s := range byName {
		s.Fault = faults[name]
		look.fill(s, now)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b api.Source) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// newestEvent is the newest event time of all sources.
func newestEvent(stats []ledger.SourceStats) (last time.Time) {
	for _, s := range stats {
		if s.LastEvent.After(last) {
			last = s.LastEvent
		}
	}
	return last
}

// Health is how the sources of a vigil are.
type Health struct {
	Sources []api.Source
	// Now is the time as of which it is told: the clock's, or that of the newest event
	// where the log is of the past.
	Now time.Time
	// Running says that the service runs, and so tells which sources can't be read.
	Running bool
	// Quarantined are the newest records that were set aside, when asked for, newest first.
	Quarantined []vigil.Quarantined
}

// maxSamples bounds the quarantined records that are looked through.
const maxSamples = 10_000

// SourceHealth looks into the data folder of a configuration, beside the service when it
// runs; that tells what only it knows. samples asks for that many quarantined records of
// each source.
func SourceHealth(ctx context.Context, cfg *config.Config, samples int) (h Health, err error) {
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{})
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	stats, err := l.Stats(ctx)
	if err != nil {
		return h, err
	}
	h.Now = time.Now().UTC()
	if last := newestEvent(stats.Sources); !last.IsZero() && h.Now.Sub(last) > ofThePast {
		h.Now = last.UTC()
	}
	look, err := lookAtSources(ctx, l, h.Now)
	if err != nil {
		return h, err
	}
	faults, running := runningFaults(ctx, cfg)
	h.Running = running
	h.Sources = sourcesOf(cfg, stats.Sources, faults, look, h.Now)
	if samples > 0 {
		all, err := l.Quarantined(ctx, maxSamples)
		if err != nil {
			return h, err
		}
		kept := map[string]int{}
		for _, q := range all {
			if kept[q.Source]++; kept[q.Source] <= samples {
				h.Quarantined = append(h.Quarantined, q)
			}
		}
		slices.SortStableFunc(h.Quarantined, func(a, b vigil.Quarantined) int { return cmp.Compare(a.Source, b.Source) })
	}
	return h, nil
}

// runningFaults asks the running service which sources it can't read. Where none runs,
// nobody knows.
func runningFaults(ctx context.Context, cfg *config.Config) (faults map[string]string, running bool) {
	if _, err := os.Stat(filepath.Join(cfg.DataDir, addressFile)); err != nil {
		return nil, false
	}
	r, err := newRemote(cfg)
	if err != nil {
		return nil, false
	}
	defer func() { _ = r.Close() }() // it only lets go of idle connections
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var status struct {
		Sources []struct{ Name, Fault string }
	}
	text, err := r.Status(ctx)
	if err != nil || json.Unmarshal(text, &status) != nil {
		return nil, false
	}
	faults = map[string]string{}
	for _, s := range status.Sources {
		if s.Fault != "" {
			faults[s.Name] = s.Fault
		}
	}
	return faults, true
}
