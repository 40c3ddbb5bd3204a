package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"vigil/internal/anchor"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// VerifiedAudit is what was found of an audit log.
type VerifiedAudit struct {
	// Records hold, the last of them with the hash Head.
	Records uint64 `json:"records"`
	Head    string `json:"head"`
	// Checkpoints of the file fit, the newest of them of Newest.
	Checkpoints int       `json:"checkpoints"`
	Newest      time.Time `json:"newest_checkpoint,omitzero"`
	// Problems name what does not hold; empty when all does.
	Problems []string `json:"problems,omitempty"`
}

// maxAuditProblems bounds the problems that are named.
const maxAuditProblems = 100

// VerifyAudit verifies the audit log in a data folder from its first record on, beside the
// service if it runs, and against the checkpoints in a file where one is given, or
// configured. key must have signed them; nil takes the data folder's own. The error is
// that it can't be read.
func VerifyAudit(ctx context.Context, cfg *config.Config, checkpoints string, key ed25519.PublicKey) (VerifiedAudit, error) {
	var out VerifiedAudit
	var all []anchor.Checkpoint
	if checkpoints == "" {
		checkpoints = cfg.AuditCheckpoints.File
	}
	if checkpoints != "" {
		if key == nil {
			own, _, err := loadReportKey(cfg.DataDir, false)
			if err != nil {
				return out, fmt.Errorf("%w; give the public key that signed the checkpoints with --key", err)
			}
			key = own.Public().(ed25519.PublicKey)
		}
		f, err := os.Open(checkpoints)
		if err != nil {
			return out, fmt.Errorf("read checkpoints: %w", err)
		}
		all, out.Problems, err = anchor.Read(f, key)
		if err := errors.Join(err, f.Close()); err != nil {
			return out, err
		}
	}
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return out, fmt.Errorf("open the audit log: %w", err)
	}
	err = errors.Join(out.against(ctx, l, all), l.Close())
	if len(out.Problems) > maxAuditProblems {
		out.Problems = append(out.Problems[:maxAuditProblems], fmt.Sprintf("and %d more", len(out.Problems)-maxAuditProblems))
	}
	return out, err
}

// against walks the log once and holds it against the checkpoints.
func (v *VerifiedAudit) against(ctx context.Context, l *ledger.Ledger, all []anchor.Checkpoint) error {
	byNumber := map[uint64][]*anchor.Checkpoint{}
	for i := range all {
		byNumber[all[i].N] = append(byNumber[all[i].N], &all[i])
	}
	at, err := l.VerifyAuditFrom(ctx, ledger.AuditMark{}, func(m ledger.AuditMark) error {
		for _, c := range byNumber[m.N] {
			if bytes.Equal(c.Hash, m.Hash) {
				v.Checkpoints++
				if c.Time.After(v.Newest) {
					v.Newest = c.Time
				}
				continue
			}
			v.Problems = append(v.Problems, fmt.Sprintf("record %d is not the one of the checkpoint of %s: the log was written anew", m.N, c.Time.Format(time.RFC3339)))
		}
		delete(byNumber, m.N)
		return nil
	})
	var broken *ledger.CorruptError
	switch {
	case errors.As(err, &broken):
		v.Problems = append(v.Problems, broken.Error())
	case err != nil:
		return err
	default:
		for i := range all {
			if c := &all[i]; c.N > at.N && byNumber[c.N] != nil {
				v.Problems = append(v.Problems, fmt.Sprintf("the log had %d records at the checkpoint of %s, and has %d now: its end was cut off, or an older copy put in its place", c.N, c.Time.Format(time.RFC3339), at.N))
				break // the others say the same
			}
		}
	}
	v.Records, v.Head = at.N, hex.EncodeToString(at.Hash)
	return nil
}
