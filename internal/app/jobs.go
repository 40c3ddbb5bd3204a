package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/schedule"
)

// digestFindings bounds the findings looked at for one digest.
const digestFindings = 5_000

// startJobs starts what runs by the clock: ticks of the log, snapshots, sealing,
// pruning and the digest.
func (a *App) startJobs() (stop func(context.Context) error, err error) {
	s := schedule.New(schedule.Options{Logger: a.logger})
	jobs := []schedule.Job{
		{Name: "snapshot", Spec: a.conf().Snapshots, Run: func(ctx context.Context) error { return a.judge().askSnapshot(ctx) }},
		{Name: "sealing", Spec: a.conf().Sealing, Run: a.seal},
		{Name: "pruning", Spec: a.conf().Pruning, Run: a.prune},
		{Name: "feeds", Spec: a.conf().FeedPolls, Run: a.pollFeeds},
		{Name: "rules", Spec: a.conf().FeedPolls, Run: a.noteRules},
		{Name: "budget", Spec: a.conf().FeedPolls, Run: a.settings.note},
	}
	if !a.opts.Quiet {
		jobs = append(jobs, schedule.Job{Name: "audit log", Spec: auditVerifying, Run: a.verifyAudit})
		if cfg := a.conf().AuditCheckpoints; cfg.File != "" {
			jobs = append(jobs, schedule.Job{Name: "audit checkpoints", Spec: cfg.Every, Run: a.keepCheckpoint})
		}
		jobs = append(jobs, schedule.Job{Name: "tick", Spec: a.conf().Ticks, Run: a.tick}, schedule.Job{Name: "pulse", Spec: pulse, Run: a.intake.presence.beat})
		jobs = append(jobs, schedule.Job{Name: "reminders", Spec: "@every 1m", Run: func(ctx context.Context) error { return a.dispatcher.Load().nudge(ctx) }})
		if a.conf().Influx.URL != "" {
			jobs = append(jobs, schedule.Job{Name: "readings", Spec: readingsTaken, Run: a.takeReadings})
		}
		jobs = append(jobs, schedule.Job{Name: "refreshing", Spec: "@every 3m", Run: a.refreshWays})
		if spec := a.conf().Digest; spec != "off" {
			jobs = append(jobs, schedule.Job{Name: "digest", Spec: spec, Run: func(ctx context.Context) error { return a.digest(ctx, 24*time.Hour) }})
		}
		if spec := a.conf().Alerts.Weekly; spec != "off" {
			jobs = append(jobs, schedule.Job{Name: "weekly digest", Spec: spec, Run: func(ctx context.Context) error { return a.digest(ctx, 7*24*time.Hour) }})
		}
	}
	if spec := a.conf().Previews; spec != "off" && !a.opts.Quiet {
		jobs = append(jobs, schedule.Job{Name: "previews", Spec: spec, Run: a.backtests.preview})
	}
	if spec := a.conf().Alerts.Report; spec != "off" && !a.opts.Quiet {
		jobs = append(jobs, schedule.Job{Name: "audit report", Spec: spec, Run: a.monthlyReport})
	}
	for _, j := range jobs {
		if err := s.Add(j); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", j.Name, err)
		}
	}
	s.Start()
	return s.Stop, nil
}

// tick tells the log how late it is, as far as the sources let it be known.
func (a *App) tick(ctx context.Context) error {
	t, ok := a.intake.pace.watermark()
	if !ok {
		return nil
	}
	_, err := a.ledger.AcceptTick(ctx, vigil.Tick{Watermark: t.UTC()})
	a.intake.note(err)
	return err
}

func (a *App) seal(ctx context.Context) error {
	_, err := a.ledger.Seal(ctx, a.opts.Now())
	return err
}

// prune deletes what is past its retention. A snapshot comes first, so that the
// cut is covered by one.
func (a *App) prune(ctx context.Context) error {
	if err := a.judge().askSnapshot(ctx); err != nil {
		return err
	}
	if _, err := a.ledger.Prune(ctx, a.opts.Now()); err != nil {
		return err
	}
	return a.pruneVault(ctx)
}

// pruneVault forgets the names of whom no event is kept any more.
func (a *App) pruneVault(ctx context.Context) error {
	keep := a.conf().Retention.Std()
	if a.vault == nil || keep == 0 {
		return nil
	}
	// A day later: the vault counts whole days.
	_, err := a.vault.Prune(ctx, a.opts.Now().Add(-keep-24*time.Hour))
	return err
}

// monthlyReport makes the audit report of the month before, and tells once that it is
// there.
func (a *App) monthlyReport(ctx context.Context) error {
	from, to := LastMonth(a.opts.Now())
	if err := a.MonthlyReport(ctx); err != nil {
		return err
	}
	return a.outbox.enqueue(ctx, alerts.Message{
		ID: "report/" + from.Format("2006-01"), Kind: alerts.KindNotice, Link: "/",
		Notice: &alerts.Notice{
			Title:    "The audit report of " + from.Format("January 2006") + " is there",
			Sentence: "Who has access and used it, what was found and how it ended, from " + alerts.Moment(from) + " to " + alerts.Moment(to) + ", signed and kept.",
			Lines:    []string{"Read it on the machine that vigil runs on: vigil reports list"},
		},
	})
}

// digest sums up the time before now.
func (a *App) digest(ctx context.Context, span time.Duration) error {
	to := a.opts.Now().UTC().Truncate(time.Hour)
	from := to.Add(-span)
	day := alerts.Day{From: from, To: to, Budget: a.judge().status.Load().Budget, Link: "/"}
	for at := from; at.Before(to); at = at.Add(time.Hour) { // what is read at once is bounded
		points, err := a.ledger.Points(ctx, at, at.Add(time.Hour), 0)
		if err != nil {
			return err
		}
		for _, p := range points {
			day.Events += p.Events
		}
	}
	status, err := a.reader.Status(ctx)
	if err != nil {
		return err
	}
	day.Quarantined = status.Quarantined
	for _, s := range status.Sources {
		switch {
		case s.Last.IsZero():
			day.Notes = append(day.Notes, fmt.Sprintf("Source %s has sent nothing yet.", s.Name))
		case s.Last.Before(from):
			day.Notes = append(day.Notes, fmt.Sprintf("Source %s is silent since %s.", s.Name, s.Last.UTC().Format("2 January 15:04 UTC")))
		}
	}
	for _, l := range status.Lanes {
		if !l.Ready {
			day.Notes = append(day.Notes, fmt.Sprintf("The lane %q warms up: %s.", l.Name, l.Why))
		}
	}
	if status.Note != "" {
		day.Notes = append(day.Notes, status.Note)
	}
	if day.Findings, err = a.findingsOf(ctx, from, to); err != nil {
		return err
	}
	if err := a.casework(ctx, &day); err != nil {
		return err
	}
	return a.outbox.enqueue(ctx, alerts.NewDigest(day))
}

// digestCases bounds the cases looked at for one digest.
const digestCases = 20_000

// casework adds to a digest what waits for people: cases that nobody acknowledged, what
// was held back, and the exceptions and silences that end soon.
func (a *App) casework(ctx context.Context, day *alerts.Day) error {
	held, _, err := a.ledger.Cases(ctx, ledger.CaseFilter{OpenedFrom: day.From, OpenedTo: day.To, Limit: digestCases})
	if err != nil {
		return err
	}
	day.Held = map[vigil.MuteReason]int{}
	for i := range held {
		if held[i].Held != "" {
			day.Held[held[i].Held]++
		}
	}
	waiting, _, err := a.ledger.Cases(ctx, ledger.CaseFilter{State: vigil.CaseNew, Limit: digestCases})
	if err != nil {
		return err
	}
	for i := range waiting {
		if waiting[i].Held == "" {
			day.Waiting = append(day.Waiting, waiting[i])
		}
	}
	exceptions, err := a.ledger.Exceptions(ctx)
	if err != nil {
		return err
	}
	for i := range exceptions {
		if x := &exceptions[i]; !x.Ended {
			day.Reviews = append(day.Reviews, alerts.Review{Kind: "exception", Says: exceptionWords(x), By: x.By, Ends: x.To})
		}
	}
	silences, err := a.ledger.Silences(ctx)
	if err != nil {
		return err
	}
	for i := range silences {
		if s := &silences[i]; !s.Ended {
			day.Reviews = append(day.Reviews, alerts.Review{Kind: "silence", Says: matchWords(&s.Match), By: s.By, Ends: s.To})
		}
	}
	return nil
}

// findingsOf lists the findings that were declared in a time.
func (a *App) findingsOf(ctx context.Context, from, to time.Time) ([]vigil.Finding, error) {
	var out []vigil.Finding
	for offset := 0; offset < digestFindings; {
		page, err := a.ledger.Findings(ctx, api.FindingFilter{DetectedFrom: from, DetectedTo: to, Limit: 500, Offset: offset})
		if err != nil {
			return nil, errors.Join(errors.New("list the day's findings"), err)
		}
		out = append(out, page.Findings...)
		offset += len(page.Findings)
		if len(page.Findings) == 0 || offset >= page.Total {
			break
		}
	}
	return out, nil
}
