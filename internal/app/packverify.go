package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"vigil"
	"vigil/detector"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/pack"
)

// VerifyPack verifies an evidence pack. With a key, that must be the one that signed. With
// a configuration the findings are also computed again from the log in its data folder,
// beside the service if it runs. The error is that nothing can be verified; what is wrong
// with the pack stands in the report.
func VerifyPack(ctx context.Context, path string, key ed25519.PublicKey, cfg *config.Config) (pack.Report, error) {
	in, err := os.Open(path)
	if err != nil {
		return pack.Report{}, fmt.Errorf("open evidence pack: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return pack.Report{}, errors.Join(err, fmt.Errorf("%s is no file", path))
	}
	r, err := pack.Verify(in, info.Size(), key)
	if err != nil || cfg == nil || len(r.Problems) > 0 {
		return r, err
	}
	err = recompute(ctx, cfg, &r)
	return r, err
}

// recompute judges the log again up to where the pack was made, by the same code as the
// service, and compares the findings.
func recompute(ctx context.Context, cfg *config.Config, r *pack.Report) (err error) {
	say := func(format string, args ...any) {
		r.Checks = append(r.Checks, pack.Check{What: "computed again", Says: fmt.Sprintf(format, args...)})
	}
	bad := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	of := r.Manifest.Of
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	set, _, err := rulesToJudge(ctx, l, cfg)
	if err != nil {
		return err
	}
	if settings, marks := judgedBy(cfg, set); settings != of.Settings || marks != of.Rules {
		say("not done: the detector has other settings or rules now than when the pack was made, so it would judge otherwise")
		return nil
	}
	found, from, err := judgeAgain(ctx, l, cfg, detector.Options{Rules: set}, of.LogJudged, r.Findings)
	if err != nil {
		return fmt.Errorf("judge the log again: %w", err)
	}
	same := 0
	for i := range r.Findings {
		f := r.Findings[i]
		f.Verdict, f.Triage = nil, nil
		again, ok := found[findingRevision{f.ID, f.Revision}]
		if !ok && from > 0 {
			say("finding %s: can't be computed again: the log begins at entry %d, and it was declared before", f.ID, from)
			continue
		}
		if !ok {
			bad("finding %s does not come out when the log is judged again", f.ID)
			continue
		}
		want, err1 := json.Marshal(&f)
		got, err2 := json.Marshal(&again)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !bytes.Equal(want, got) {
			bad("finding %s comes out differently when the log is judged again", f.ID)
			continue
		}
		same++
	}
	if same > 0 {
		say("the log was judged again from entry %d to %d: %d of %d findings come out the same, bit for bit", from, of.LogJudged, same, len(r.Findings))
	}
	return nil
}

type findingRevision struct {
	id       string
	revision int
}

// judgeAgain folds the log from as far back as it goes, up to an entry, and returns those
// findings of it that are wanted. from is where it began.
func judgeAgain(ctx context.Context, l *ledger.Ledger, cfg *config.Config, opts detector.Options, upTo uint64, wanted []vigil.Finding) (found map[findingRevision]vigil.Finding, from uint64, err error) {
	engine, err := detector.New(detector.Config{Budget: cfg.Budget, MaxActors: cfg.MaxActors, MaxCold: cfg.MaxCold}, opts)
	if err != nil {
		return nil, 0, err
	}
	stats, err := l.Stats(ctx)
	if err != nil {
		return nil, 0, err
	}
	if stats.Cut > 0 {
		s, ok, err := l.OldestSnapshot(ctx)
		if err != nil {
			return nil, 0, err
		}
		if !ok || s.Seq < stats.Cut {
			return nil, stats.Cut, nil // nothing is left to begin with: each finding says so
		}
		parts := make([]detector.Part, len(s.Parts))
		for i, p := range s.Parts {
			parts[i] = detector.Part(p)
		}
		if err := engine.Restore(parts); err != nil {
			return nil, 0, fmt.Errorf("restore the detector's oldest state: %w", err)
		}
		from = s.Seq
	}
	found = map[findingRevision]vigil.Finding{}
	want := map[findingRevision]bool{}
	for i := range wanted {
		want[findingRevision{wanted[i].ID, wanted[i].Revision}] = true
	}
	for seq := from; seq < upTo; {
		entries, err := l.Entries(ctx, seq, entriesAtOnce)
		if err != nil {
			return nil, from, err
		}
		if len(entries) == 0 {
			return nil, from, fmt.Errorf("the log ends at entry %d, the pack was made at %d: it is of another vigil, or of an older copy", seq, upTo)
		}
		for i := range entries {
			if entries[i].Seq > upTo {
				return found, from, nil
			}
			all, err := engine.Fold(&entries[i])
			if err != nil {
				return nil, from, fmt.Errorf("judge entry %d: %w", entries[i].Seq, err)
			}
			for _, f := range all {
				if at := (findingRevision{f.ID, f.Revision}); want[at] {
					finite(&f)
					found[at] = f
				}
			}
			seq = entries[i].Seq
		}
	}
	return found, from, nil
}
