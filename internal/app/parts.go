package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
	"vigil/internal/vault"
)

func (a *App) openLedger(ctx context.Context) error {
	if err := os.MkdirAll(a.conf().DataDir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	l, err := ledger.Open(ctx, ledgerConfig(a.conf()), ledger.Options{Logger: a.logger, Now: a.opts.Now, Free: a.opts.Free, Changed: a.changed})
	if err != nil {
		return err
	}
	a.ledger = l
	a.clean.add("ledger", func(context.Context) error { return l.Close() })
	return nil
}

// forever is a retention that never comes to pass.
const forever = 200 * 365 * 24 * time.Hour

func ledgerConfig(cfg *config.Config) ledger.Config {
	keep := func(d config.Duration) time.Duration {
		if d == 0 {
			return forever
		}
		return d.Std()
	}
	hold := cfg.CaseHold.Std()
	if hold == 0 {
		hold = -1 // to the ledger zero is its default
	}
	return ledger.Config{
		CaseHold: hold,
		Dir:      cfg.DataDir, Retention: keep(cfg.Retention), FindingRetention: keep(cfg.FindingRetention),
		RollupRetention: keep(cfg.FindingRetention), MinFree: int64(cfg.DiskFloor), MaxBytes: int64(cfg.MaxSize),
		Spool: cfg.Influx.URL != "",
	}
}

func (a *App) openIntake(ctx context.Context) error {
	key, err := serviceKey(a.conf().PseudonymKey, a.conf().DataDir, true)
	if err != nil {
		return err
	}
	if err := a.openVault(ctx); err != nil {
		return err
	}
	var saw func(pseudonym, id string)
	if a.vault != nil {
		saw = a.vault.Saw
	}
	pseudonyms, err := privacy.New(key, privacy.Options{Saw: saw})
	if err != nil {
		return err
	}
	a.intake = &intake{ledger: a.ledger, pseudonyms: pseudonyms, pace: newPace(a.opts.Now), now: a.opts.Now}
	stats, err := a.ledger.Stats(ctx)
	if err != nil {
		return err
	}
	a.intake.legible = newLegible(stats.Sources)
	if !a.opts.Quiet {
		if a.intake.presence, err = newPresence(ctx, a.ledger, a.opts.Now, a.intake.full.Load); err != nil {
			return err
		}
	}
	if d, ok := a.opts.Door.(*demoDoor); ok {
		d.use(pseudonyms)
	}
	a.outbox = newOutbox(a.ledger)
	a.book = newCasebook(a.ledger, a.outbox, a.opts.Now)
	a.desk = &desk{
		ledger: a.ledger, pseudonyms: pseudonyms, triage: newTriager(a.ledger, a.conf().DataDir, a.logger), now: a.opts.Now,
		people: a.people.Load, book: a.book,
	}
	a.reports = newReporter(a.ending, a.ledger, a.conf, pseudonyms, a.logger, a.opts.Now)
	a.reports.budget = a.budget
	a.clean.add("audit report in the making", a.reports.wait)
	return a.openIdentity(key)
}

// openVault opens what leads pseudonyms back to names, unless the configuration wants none.
// One that is there from before is left alone then, and told.
func (a *App) openVault(ctx context.Context) error {
	cfg := a.conf()
	if cfg.Vault == "off" {
		if _, err := os.Stat(filepath.Join(cfg.DataDir, vault.FileName)); err == nil {
			a.logger.Warn("the vault is off, and one from before is kept: remove its files if nobody is to be revealed ever again",
				"file", filepath.Join(cfg.DataDir, vault.FileName))
		}
		return nil
	}
	key, err := vaultKey(cfg)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{Dir: cfg.DataDir, Key: key}, vault.Options{Now: a.opts.Now, Logger: a.logger})
	if err != nil {
		return err
	}
	a.vault = v
	a.clean.add("vault", v.Close)
	return nil
}

// vaultKey is the configured key, or the data folder's.
func vaultKey(cfg *config.Config) ([]byte, error) {
	if !cfg.VaultKey.IsSet() {
		return privacy.LoadVaultKey(cfg.DataDir)
	}
	value, err := cfg.VaultKey.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read vault_key: %w", err)
	}
	return []byte(value), nil
}

// consoleOf is the console's address as people reach it under a configuration.
func (a *App) consoleOf(cfg *config.Config) string {
	if cfg.ConsoleURL != "" {
		return cfg.ConsoleURL
	}
	return a.url
}

// judged waits until everything accepted is judged, or ctx ends.
func (a *App) judged(ctx context.Context) error {
	for last := a.ledger.Last(); a.ledger.Applied() < last; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d entries are left to judge at the next start: %w", last-a.ledger.Applied(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// startWeb serves the console and the receivers. The doors stay; what is behind them
// changes with the configuration.
func (a *App) startWeb(web, pushed net.Listener, next *edition) {
	if pushed != nil {
		if next.secure != nil {
			pushed = tls.NewListener(pushed, next.secure)
		}
		a.clean.add("push", serve(pushed, a.push, a.logger))
	}
	stop := serve(web, a.door, a.logger)
	a.clean.add("console", func(ctx context.Context) error {
		a.news.End() // streams end by themselves only when who listens goes away
		return stop(ctx)
	})
}

// pushedTo is where senders find the receivers.
func (a *App) pushedTo(pushed net.Listener) string {
	switch {
	case pushed == nil:
		return a.url
	case a.conf().PushTLS != nil:
		return "https://" + pushed.Addr().String()
	}
	return "http://" + pushed.Addr().String()
}

// startCollecting starts the collectors.
func (a *App) startCollecting(ctx context.Context, next *edition) {
	a.clean.add("collectors", a.super.stop)
	a.super.apply(ctx, next.collectors)
}
