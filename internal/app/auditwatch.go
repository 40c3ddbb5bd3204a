package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"time"

	"vigil/internal/anchor"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

const (
	// auditVerifying is how often what is new in the audit log is verified, auditWhole how
	// old the last verification of all of it may be.
	auditVerifying = "@every 1m"
	auditWhole     = 24 * time.Hour
)

// auditWatch verifies the audit log as it grows and keeps its head outside. It is safe for
// concurrent use; each of its two jobs runs one at a time.
type auditWatch struct {
	mu sync.Mutex // guards what follows
	// at is up to where the chain holds, seen when that was found, whole when all of it
	// was walked.
	at          ledger.AuditMark
	seen, whole time.Time
	broken      string
	// kept is the newest checkpoint, fault what is wrong with them.
	kept  anchor.Checkpoint
	fault string
}

// verifyAudit verifies what is new in the audit log, and all of it once a day.
func (a *App) verifyAudit(ctx context.Context) error {
	w, now := &a.audits, a.opts.Now()
	w.mu.Lock()
	from, whole := w.at, w.whole
	w.mu.Unlock()
	all := whole.IsZero() || now.Sub(whole) >= auditWhole
	if all {
		from = ledger.AuditMark{}
	}
	at, err := a.ledger.VerifyAuditFrom(ctx, from, nil)
	var broken *ledger.CorruptError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if broken != nil {
		if w.broken == "" {
			a.logger.Error("the audit log does not hold", "error", broken.Error())
		}
		w.broken, w.seen, w.whole = broken.Error(), now, time.Time{} // all of it is walked again next time
		return nil
	}
	// A walk from the beginning finds what was there before where it was.
	w.at, w.seen, w.broken = at, now, ""
	if all {
		w.whole = now
	}
	return nil
}

// keepCheckpoint writes the audit log's head down outside, when it has grown.
func (a *App) keepCheckpoint(ctx context.Context) error {
	path, now := a.conf().AuditCheckpoints.File, a.opts.Now().UTC().Truncate(time.Second)
	if path == "" {
		return nil
	}
	w := &a.audits
	kept, fault, err := a.checkpoint(ctx, path, now)
	if err != nil {
		fault = err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if fault != "" && fault != w.fault {
		a.logger.Error("the audit log's checkpoint", "error", fault)
	}
	w.fault = fault
	if kept.N > 0 {
		w.kept = kept
	}
	return nil
}

// checkpoint appends a checkpoint, unless the log has not grown or contradicts the one
// before: then fault says so.
func (a *App) checkpoint(ctx context.Context, path string, now time.Time) (kept anchor.Checkpoint, fault string, err error) {
	key, err := signingKey(ctx, a.ledger, a.conf().DataDir, now)
	if err != nil {
		return kept, "", err
	}
	last, ok, err := anchor.Last(path, key.Public().(ed25519.PublicKey))
	if err != nil {
		return kept, "", err
	}
	if ok {
		was, err := a.ledger.AuditLog(ctx, last.N-1, 1)
		if err != nil {
			return kept, "", err
		}
		if len(was) == 0 || was[0].N != last.N || !bytes.Equal(was[0].Hash, last.Hash) {
			return last, "the audit log is not the one of the checkpoint of " + last.Time.Format("2 January 2006 15:04 UTC") + ": it was cut off, put back or written anew", nil
		}
	}
	n, hash, err := a.ledger.AuditHead(ctx)
	if err != nil || n == 0 || ok && n == last.N {
		return last, "", err
	}
	next := anchor.Checkpoint{N: n, Hash: hash, Time: now}
	err = anchor.Append(path, &next, key)
	return next, "", err
}

// notes say what is wrong with the audit log, for the operator.
func (w *auditWatch) notes() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != "" {
		out = append(out, "The audit log does not hold: "+w.broken+".")
	}
	if w.fault != "" {
		out = append(out, "The audit log's checkpoint: "+w.fault+".")
	}
	return out
}

func (w *auditWatch) standing() (s api.AuditStanding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return api.AuditStanding{
		Verified: w.at.N, At: w.seen, Whole: w.whole, Broken: w.broken, Kept: w.kept.N, KeptAt: w.kept.Time, Fault: w.fault,
	}
}
