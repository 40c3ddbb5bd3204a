package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/internal/config"
	"vigil/internal/feeds"
	"vigil/internal/honey"
)

// specOf says how a configured feed's texts are read.
func specOf(f *config.Feed) feeds.Spec {
	return feeds.Spec{Name: f.Name, Kind: f.Kind, Tenant: f.Tenant, Columns: f.Columns, Location: f.Location()}
}

// honeyFeed is the feed that is there without being configured: the register of the
// honey records that vigil itself has made. Its name is none that a configuration can
// give.
const honeyFeed = "honey records"

// startFeeds reads what tells reasons a first time, before anything is collected.
func (a *App) startFeeds(ctx context.Context) {
	all := []feeds.Feed{{
		Spec:     feeds.Spec{Name: honeyFeed, Kind: vigil.FactHoney, Location: time.UTC},
		Files:    []string{filepath.Join(a.conf().DataDir, honey.FileName)},
		Optional: true, MayShrink: true,
	}}
	for i := range a.conf().Feeds {
		f := &a.conf().Feeds[i]
		all = append(all, feeds.Feed{Spec: specOf(f), Files: f.File, StaleAfter: f.StaleAfter.Std(), MayShrink: f.MayShrink})
	}
	begun := a.ledger.Last()
	service := feeds.NewService(all, feeds.Options{
		Known: func(_ context.Context, kind vigil.FactKind) ([]vigil.Facts, error) {
			if a.ledger.Applied() < begun {
				return nil, feeds.ErrNotReady
			}
			return a.judge().facts(kind), nil
		},
		Accept: func(ctx context.Context, f vigil.Facts) error {
			data, err := json.Marshal(f)
			if err != nil {
				return fmt.Errorf("encode facts: %w", err)
			}
			_, err = a.ledger.AcceptControl(ctx, vigil.Control{Type: vigil.ControlFacts, Data: data})
			a.intake.note(err)
			return err
		},
		Pseudonyms: a.intake.pseudonyms, Logger: a.logger, Now: a.opts.Now,
	})
	a.fed.Store(service)
	if err := a.pollFeeds(ctx); err != nil {
		a.logger.Error("the feeds can't be kept; they are read again", "error", err.Error())
	}
}

// pollFeeds reads the files that changed, and leaves a note of how the feeds stand for
// vigil check.
func (a *App) pollFeeds(ctx context.Context) error {
	service := a.fed.Load()
	err := service.Poll(ctx)
	if errors.Is(err, feeds.ErrNotReady) {
		return nil // the log of before the start comes first
	}
	return errors.Join(err, writeFeedNote(a.conf().DataDir, service.Statuses()))
}

// feedTroubles says what is wrong with feeds.
func (a *App) feedTroubles() (troubles []string) {
	service := a.fed.Load()
	if service == nil {
		return nil
	}
	if n := a.judge().status.Load().Facts.Dropped; n > 0 {
		troubles = append(troubles, fmt.Sprintf("Feeds tell more than is held: %d records made room.", n))
	}
	for _, s := range service.Statuses() {
		if s.Trouble != "" {
			troubles = append(troubles, fmt.Sprintf("Feed %s: %s.", s.Name, strings.TrimSuffix(s.Trouble, ".")))
		}
	}
	return troubles
}

// feedReceiver takes pushed feeds; nil where none is pushed.
func (a *App) feedReceiver() (http.Handler, error) {
	tokens := map[string]string{}
	for i := range a.conf().Feeds {
		f := &a.conf().Feeds[i]
		if f.Push == nil {
			continue
		}
		token, err := f.Push.Token.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read token of feed %q: %w", f.Name, err)
		}
		tokens[f.Name] = token
	}
	if len(tokens) == 0 {
		return nil, nil
	}
	return feeds.NewReceiver(a.fed.Load(), tokens)
}

// facts lists what feeds have told of a kind as far as the log is judged.
func (a *applier) facts(kind vigil.FactKind) []vigil.Facts {
	a.folding.Lock()
	defer a.folding.Unlock()
	return a.engine.Facts(kind)
}

// feedNote is the file in the data folder that tells vigil check how feeds stand. It
// names no people.
const feedNote = "feeds.json"

func writeFeedNote(dir string, all []feeds.Status) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the note of feeds: %w", err)
	}
	path := filepath.Join(dir, feedNote)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
		return nil
	}
	next := path + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("write the note of feeds: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write the note of feeds: %w", err)
	}
	return nil
}

// FeedCheck is what was found in the files of one configured feed.
type FeedCheck struct {
	Name             string
	Kind             vigil.FactKind
	Records, Aside   int
	Problems         []feeds.Problem
	Trouble          string // the running service's, empty for none
	Pushed, Unusable bool
}

// CheckFeeds reads the files of all configured feeds, and what the service noted of
// them last. Nothing is written.
func CheckFeeds(cfg *config.Config) []FeedCheck {
	var noted []feeds.Status
	if text, err := os.ReadFile(filepath.Join(cfg.DataDir, feedNote)); err == nil {
		if json.Unmarshal(text, &noted) != nil {
			noted = nil // a note that can't be read says nothing
		}
	}
	known := map[string]bool{}
	readings := make([]*feeds.Reading, len(cfg.Feeds))
	out := make([]FeedCheck, len(cfg.Feeds))
	for i := range cfg.Feeds {
		f := &cfg.Feeds[i]
		c := &out[i]
		c.Name, c.Kind, c.Pushed = f.Name, f.Kind, f.Push != nil
		var before feeds.Status
		if at := slices.IndexFunc(noted, func(s feeds.Status) bool { return s.Name == f.Name && s.Kind == f.Kind }); at >= 0 {
			before = noted[at]
			c.Trouble = before.Trouble
		}
		if c.Pushed {
			continue
		}
		r, err := feeds.ReadFiles(specOf(f), f.File)
		if err != nil {
			c.Unusable = true
			var bad *feeds.Error
			if errors.As(err, &bad) {
				c.Problems = append(c.Problems, bad.Problem)
			} else {
				c.Problems = append(c.Problems, feeds.Problem{File: strings.Join(f.File, ", "), Message: err.Error(), Remedy: "have it written there"})
			}
			continue
		}
		readings[i] = r
		c.Records, c.Aside, c.Problems = r.Records, r.Aside, r.Problems
		if p := feeds.Shrinks(f.Kind, before.Records, r, f.MayShrink); p != nil {
			c.Trouble = (&feeds.RefusedError{Feed: f.Name, Was: before.Records, Would: p.Would}).Error()
		}
		for j := range r.Facts.People {
			known[r.Facts.People[j].Actor] = true
		}
	}
	for i, r := range readings {
		if r == nil {
			continue
		}
		if n := feeds.Strangers(&r.Facts, known); n > 0 {
			out[i].Problems = append(out[i].Problems, feeds.Problem{
				File: strings.Join(cfg.Feeds[i].File, ", "), Message: fmt.Sprintf("%d records name people whom the directory does not know", n),
				Remedy: "give the same ids as the directory and the logs have",
			})
		}
	}
	return out
}

// givenFeeds are the feeds that were given as "kind=FILE".
func givenFeeds(given []string, tenant string) (all []config.Feed, err error) {
	for _, g := range given {
		kind, path, ok := strings.Cut(g, "=")
		if !ok || path == "" || !feeds.Known(vigil.FactKind(kind)) {
			return nil, fmt.Errorf("--feed %q: write kind=FILE; the kinds are %s", g, feeds.Kinds())
		}
		all = append(all, config.Feed{Name: g, Kind: vigil.FactKind(kind), Tenant: tenant, File: []string{path}})
	}
	return all, nil
}

// readFeed reads one feed's files a single time.
func readFeed(f *config.Feed, problem func(string)) ([]vigil.Facts, error) {
	r, err := feeds.ReadFiles(specOf(f), f.File)
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	for _, p := range r.Problems {
		problem(p.String())
	}
	pieces, err := feeds.Diff(nil, &r.Facts, false)
	if err != nil {
		return nil, err
	}
	if len(pieces) == 0 {
		pieces = []vigil.Facts{{Feed: f.Name, Kind: f.Kind}}
	}
	return pieces, nil
}
