package app

import (
	"context"
	"runtime/metrics"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/series"
)

// readingsTaken is when the program says how it is: as soon as a minute is over.
const readingsTaken = "* * * * *"

// takeReadings notes how the program and each of its sources are, for the minute that is
// over. What it notes goes to InfluxDB.
func (a *App) takeReadings(ctx context.Context) error {
	now := a.opts.Now()
	start := series.WindowOf(now.Add(-series.Window))
	status, err := a.reader.Status(ctx)
	if err != nil {
		return err
	}
	program, err := a.programReading(ctx, now)
	if err != nil {
		return err
	}
	readings := []series.Reading{{Start: start, Values: program}}
	configured := map[string]bool{}
	for i := range a.conf().Sources {
		configured[a.conf().Sources[i].Name] = true
	}
	for i := range status.Sources {
		s := &status.Sources[i]
		if configured[s.Name] && len(readings) <= series.MaxSources {
			readings = append(readings, series.Reading{Start: start, Source: s.Name, Values: sourceReading(s, now)})
		}
	}
	return a.ledger.Note(ctx, readings)
}

func (a *App) programReading(ctx context.Context, now time.Time) (map[string]int64, error) {
	stats, err := a.ledger.Stats(ctx)
	if err != nil {
		return nil, err
	}
	lag, err := a.ledger.JudgingLag(ctx)
	if err != nil {
		return nil, err
	}
	cases, err := a.ledger.CaseTally(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{
		series.ProgramJudged: stats.Judged, series.ProgramLate: stats.Late, series.ProgramQuarantined: stats.Quarantined,
		series.ProgramDamaged: stats.Damaged, series.ProgramPruned: stats.PrunedEvents, series.ProgramDeadMessages: stats.DeadMessages,
		series.ProgramDroppedWindows: stats.DroppedWindows, series.ProgramPending: stats.Pending, series.ProgramJudgingLag: seconds(lag),
		series.ProgramMessages: stats.Waiting, series.ProgramWindows: stats.DirtyWindows, series.ProgramCasesNew: cases[vigil.CaseNew],
		series.ProgramCasesTaken: cases[vigil.CaseAcknowledged], series.ProgramActors: int64(a.judge().status.Load().Actors),
		series.ProgramTroubles: int64(len(a.notes())), series.ProgramKept: stats.Bytes, series.ProgramFree: stats.Free,
		series.ProgramUptime: seconds(now.Sub(a.born)),
	}
	for i := range stats.Sources {
		out[series.ProgramAccepted] += stats.Sources[i].Events
	}
	if !stats.SnapshotTime.IsZero() {
		out[series.ProgramSnapshot] = seconds(now.Sub(stats.SnapshotTime))
	}
	if g := a.gate.Load(); g != nil {
		out[series.ProgramRefused] = g.Refused()
	}
	fromRuntime(out)
	return out, nil
}

// fromRuntime adds what Go tells of the process.
func fromRuntime(out map[string]int64) {
	names := []struct{ field, metric string }{
		{series.ProgramGoroutines, "/sched/goroutines:goroutines"},
		{series.ProgramHeap, "/memory/classes/heap/objects:bytes"},
		{series.ProgramMemory, "/memory/classes/total:bytes"},
	}
	samples := make([]metrics.Sample, len(names))
	for i, n := range names {
		samples[i].Name = n.metric
	}
	metrics.Read(samples)
	for i, n := range names {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			out[n.field] = int64(samples[i].Value.Uint64())
		}
	}
}

// sourceReading says how a source is.
func sourceReading(s *api.Source, now time.Time) map[string]int64 {
	state := map[api.SourceState]int64{
		api.SourceReading: series.StateReading, api.SourceBehind: series.StateBehind, api.SourceSilent: series.StateSilent,
		api.SourceFailing: series.StateFailing, api.SourceNever: series.StateNever,
	}
	out := map[string]int64{
		series.SourceState: state[s.State], series.SourceEvents: s.Events, series.SourceDuplicates: s.Duplicates,
		series.SourceQuarantined: s.Quarantined, series.SourceLag: seconds(s.Lag),
	}
	if !s.Accepted.IsZero() {
		out[series.SourceQuiet] = seconds(now.Sub(s.Accepted))
	}
	return out
}

// seconds are whole ones, none where the clock was put back.
func seconds(d time.Duration) int64 { return max(int64(d/time.Second), 0) }
