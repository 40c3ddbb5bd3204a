package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// Desk is the findings of one vigil and what is said of them: through the service
// when it runs, else in its data folder itself.
type Desk struct {
	api.Decider
	api.Silencer
	findings
	cases cases
	staff staff
	close func() error
}

// findings is where findings are listed.
type findings interface {
	Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error)
	Finding(ctx context.Context, id string) (vigil.Finding, error)
}

// addressFile is where the running service writes its console's address.
const addressFile = "console.url"

// OpenDesk opens the findings of the vigil with this configuration. Close it again.
func OpenDesk(ctx context.Context, cfg *config.Config) (*Desk, error) {
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "ledger.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no findings: no vigil has run with this configuration yet", cfg.DataDir)
	}
	l, err := ledger.Open(ctx, ledgerConfig(cfg), ledger.Options{})
	var locked *ledger.LockedError
	if errors.As(err, &locked) {
		return remoteDesk(cfg, locked)
	}
	if err != nil {
		return nil, err
	}
	d, err := localDesk(ctx, l, cfg)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return d, nil
}

// Close lets go of the data folder.
func (d *Desk) Close() error { return d.close() }

func localDesk(ctx context.Context, l *ledger.Ledger, cfg *config.Config) (*Desk, error) {
	key, err := serviceKey(cfg.PseudonymKey, cfg.DataDir, false)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("the pseudonym key of %s is missing, so nobody can be named who says it", cfg.DataDir)
	}
	pseudonyms, err := privacy.New(key, privacy.Options{CacheSize: 64})
	if err != nil {
		return nil, err
	}
	users := newPeople(cfg, pseudonyms)
	// What is to be told of a verdict waits in the outbox for the service.
	book := newCasebook(l, newOutbox(l), time.Now)
	d := &desk{
		ledger: l, pseudonyms: pseudonyms, triage: newTriager(l, cfg.DataDir, slog.New(slog.DiscardHandler)), now: time.Now,
		people: func() *people { return users }, book: book,
	}
	names := cfg.ChannelNames()
	if len(names) == 0 {
		names = []string{printerName}
	}
	for _, n := range names {
		book.outbox.channels = append(book.outbox.channels, channelNote{name: n, threads: n == slackName})
	}
	if err := book.use(ctx, policyOf(&cfg.Alerts), names); err != nil {
		return nil, err
	}
	who, err := newIdentity(key, l, d.people, identity.Options{})
	if err != nil {
		return nil, err
	}
	work := &caseDesk{desk: d, book: book, people: d.people, roster: who, status: func(context.Context) (api.Status, error) { return api.Status{}, nil }}
	door := who.Door(identity.DoorConfig{Base: baseOf(cfg)})
	return &Desk{Decider: d, Silencer: d, findings: &folder{d}, cases: &caseFolder{work}, staff: &staffFolder{door}, close: l.Close}, nil
}

// folder lists the findings of a data folder that no service has open. Each look is
// recorded, as the console's are.
type folder struct{ *desk }

const commandLine = "command line"

// Findings lists them from the data folder.
func (f *folder) Findings(ctx context.Context, q api.FindingFilter) (api.FindingPage, error) {
	if err := f.audit(ctx, commandLine, "findings listed", ""); err != nil {
		return api.FindingPage{}, err
	}
	return f.list(ctx, q)
}

// Finding reads one from the data folder.
func (f *folder) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	found, err := f.one(ctx, id)
	if err != nil {
		return vigil.Finding{}, err
	}
	return found, f.audit(ctx, commandLine, "finding read", id)
}

// publishAddress writes down where the console is, for commands that find the folder
// in use.
func (a *App) publishAddress() error {
	if err := writeToken(a.conf().DataDir, a.localToken); err != nil {
		return err
	}
	path := filepath.Join(a.conf().DataDir, addressFile)
	if err := os.WriteFile(path, []byte(a.url+"\n"), 0o600); err != nil {
		return fmt.Errorf("write console's address: %w", err)
	}
	a.clean.add("console's address", func(context.Context) error {
		for _, path := range []string{path, filepath.Join(a.conf().DataDir, tokenFile)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	return nil
}

// loginName is who runs this command; empty where the system can't tell.
func loginName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
