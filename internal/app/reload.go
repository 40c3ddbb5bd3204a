package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"vigil/internal/config"
	"vigil/internal/ledger"
)

// auditReloaded is what the audit log calls a reload.
const auditReloaded = "configuration reloaded"

// ErrNeedsRestart is of a changed configuration that can't come into force while the
// service runs.
var ErrNeedsRestart = errors.New("needs a restart")

// Reload brings another configuration, which config.Load has accepted, into force.
//
// Everything that follows from it is made first: what can't be made is the error, and
// nothing has changed. Then each part that is made of something else than before is
// stopped and replaced; sources that stay as they are read on without a pause, requests
// that are being taken end as they began, and judging goes on from its state. Nothing
// that was accepted is lost. Settings on which the ledger or the listeners stand need a
// restart: ErrNeedsRestart names them. That there is another configuration is recorded in
// the audit log.
func (a *App) Reload(ctx context.Context, cfg *config.Config) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.ending.Err() != nil {
		return errors.New("vigil is stopping: the configuration is read at the next start")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.ending, cancel)()
	old := a.conf()
	if names := differing(old, cfg, true); len(names) > 0 {
		return fmt.Errorf("%w: %s changed; nothing was reloaded", ErrNeedsRestart, strings.Join(names, ", "))
	}
	next, err := a.prepare(ctx, cfg)
	if err != nil {
		return fmt.Errorf("the new configuration can't be used, the old one stays: %w", err)
	}
	if _, err := a.ledger.Audit(ctx, ledger.AuditRecord{
		Time: a.opts.Now().UTC(), Who: "vigil", What: auditReloaded,
		Object: "changed: " + cmp.Or(strings.Join(differing(old, cfg, false), ", "), "nothing"),
	}); err != nil {
		return fmt.Errorf("record the reload, the old configuration stays: %w", err)
	}
	// Who is no longer to read a source hands over what it holds while the source is still
	// known, and before another way in goes on from its position.
	a.super.retire(ctx, next.collectors)
	if err := a.begin(ctx, next); err != nil {
		// The parts are made and yet one could not take over: whoever runs the service
		// must see it, and a restart begins with the whole configuration.
		a.fail(fmt.Errorf("reload: %w", err))
		return err
	}
	a.super.apply(ctx, next.collectors)
	return nil
}

// section is a part of the configuration as a user names it.
type section struct {
	name string
	// fixed says that it is in force from start to end.
	fixed bool
	of    func(c *config.Config) any
}

func sections() []section {
	return []section{
		{"data_dir", true, func(c *config.Config) any { return c.DataDir }},
		{"listen", true, func(c *config.Config) any { return c.Listen }},
		{"push_listen", true, func(c *config.Config) any { return c.PushListen }},
		{"otlp_listen", true, func(c *config.Config) any { return c.OTLPListen }},
		{"push_tls", true, func(c *config.Config) any { return c.PushTLS }},
		{"pseudonym_key", true, func(c *config.Config) any { return c.PseudonymKey }},
		{"vault", true, func(c *config.Config) any { return []any{c.Vault, c.VaultKey} }},
		{"retention", true, func(c *config.Config) any { return c.Retention }},
		{"case_hold", true, func(c *config.Config) any { return c.CaseHold }},
		{"finding_retention", true, func(c *config.Config) any { return c.FindingRetention }},
		{"disk_floor", true, func(c *config.Config) any { return c.DiskFloor }},
		{"max_size", true, func(c *config.Config) any { return c.MaxSize }},
		// With an InfluxDB the ledger keeps note of what it must be told.
		{"influx.url", true, func(c *config.Config) any { return c.Influx.URL != "" }},
		{"sources", false, func(c *config.Config) any { return c.Sources }},
		{"collectors", false, func(c *config.Config) any { return c.Collectors }},
		{"organisation", false, func(c *config.Config) any { return c.Organisation }},
		{"audit_checkpoints", false, func(c *config.Config) any { return c.AuditCheckpoints }},
		{"actors", false, func(c *config.Config) any { return c.Actors }},
		{"rules", false, func(c *config.Config) any { return c.Rules }},
		{"feeds", false, func(c *config.Config) any { return c.Feeds }},
		{"slack", false, func(c *config.Config) any { return c.Slack }},
		{"alerts", false, func(c *config.Config) any { return c.Alerts }},
		{"users", false, func(c *config.Config) any { return c.Users }},
		{"influx", false, func(c *config.Config) any { return c.Influx }},
		{"budget", false, func(c *config.Config) any { return c.Budget }},
		{"preview_accesses", false, func(c *config.Config) any { return c.PreviewAccesses }},
		{"max_actors", false, func(c *config.Config) any { return []int{c.MaxActors, c.MaxCold} }},
		{"console_url", false, func(c *config.Config) any { return c.ConsoleURL }},
		{"schedules", false, func(c *config.Config) any {
			return []string{c.Digest, c.Snapshots, c.Ticks, c.Sealing, c.Pruning, c.FeedPolls, c.Previews}
		}},
	}
}

// differing lists the sections in which two configurations differ: all, or those alone that
// can't change while the service runs.
func differing(old, next *config.Config, fixedAlone bool) (names []string) {
	for _, s := range sections() {
		if (s.fixed || !fixedAlone) && config.PrintOf(s.of(old)) != config.PrintOf(s.of(next)) {
			names = append(names, s.name)
		}
	}
	return names
}
