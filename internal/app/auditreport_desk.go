package app

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// reportPoll is how often is asked whether a report is made.
const reportPoll = 200 * time.Millisecond

// newReporter makes a reporter that gives up what it makes when ending is over.
func newReporter(ending context.Context, l *ledger.Ledger, conf func() *config.Config, pseudonyms *privacy.Pseudonymizer, logger *slog.Logger, now func() time.Time) *reporter {
	return &reporter{
		ledger: l, conf: conf, by: func(name string) string { return pseudonyms.Actor("", name) }, logger: logger, now: now, ending: ending,
	}
}

// budget is the running detector's alert budget, in false findings a day.
func (a *App) budget() float64 {
	if j := a.judge(); j != nil {
		return j.status.Load().Budget
	}
	return 0
}

// Reports is the audit reports of one vigil: through the service when it runs, else in
// its data folder itself.
type Reports struct {
	api.Reporter
	close func() error
}

// OpenReports opens the reports of the vigil with this configuration. Close it again.
func OpenReports(ctx context.Context, cfg *config.Config) (*Reports, error) {
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "ledger.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds nothing to report of: no vigil has run with this configuration yet", cfg.DataDir)
	}
	l, err := ledger.Open(ctx, ledgerConfig(cfg), ledger.Options{})
	var locked *ledger.LockedError
	if errors.As(err, &locked) {
		r, err := newRemote(cfg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w; it does not say where its console is", locked)
		}
		if err != nil {
			return nil, err
		}
		return &Reports{Reporter: r, close: r.Close}, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := localReports(l, cfg)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return r, nil
}

func localReports(l *ledger.Ledger, cfg *config.Config) (*Reports, error) {
	key, err := serviceKey(cfg.PseudonymKey, cfg.DataDir, false)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("the pseudonym key of %s is missing, so nobody can be named who asks for a report", cfg.DataDir)
	}
	pseudonyms, err := privacy.New(key, privacy.Options{CacheSize: 64})
	if err != nil {
		return nil, err
	}
	ending, end := context.WithCancel(context.Background())
	r := newReporter(ending, l, func() *config.Config { return cfg }, pseudonyms, slog.New(slog.DiscardHandler), time.Now)
	return &Reports{Reporter: r, close: func() error {
		end()
		return errors.Join(r.wait(context.Background()), l.Close())
	}}, nil
}

// Close gives up what is being made here, and lets go of the data folder.
func (r *Reports) Close() error { return r.close() }

// Make makes a report and waits until it is kept.
func (r *Reports) Make(ctx context.Context, ask api.ReportAsk) (api.KeptReport, error) {
	id, err := r.BeginReport(ctx, ask)
	if err != nil {
		return api.KeptReport{}, err
	}
	tick := time.NewTicker(reportPoll)
	defer tick.Stop()
	for {
		k, made, err := r.Report(ctx, id)
		if err != nil || made {
			return k, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return k, ctx.Err()
		}
	}
}

// ReportKey returns the public key with which the reports of a data folder are signed,
// as one line and as PEM.
func ReportKey(cfg *config.Config) (line, asPEM string, err error) {
	key, _, err := loadReportKey(cfg.DataDir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("%s has no key that signs reports yet: it is made with the first one, see vigil reports make", cfg.DataDir)
	}
	if err != nil {
		return "", "", err
	}
	public := key.Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", "", fmt.Errorf("write public key: %w", err)
	}
	return publicText(public), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
