package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Verify the chain of the audit log, and its checkpoints outside."`
}

type auditVerifyCommand struct {
	Config      string `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is meant (default: ${default})."`
	Checkpoints string `placeholder:"FILE" help:"The checkpoints (default: the file of audit_checkpoints)."`
	Key         string `placeholder:"PUBLIC-KEY" help:"The key that must have signed them, or a file with it (see vigil reports key)."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (auditVerifyCommand) Help() string {
	return `Walks the audit log from its first record to the last, beside the running service. A record that was
changed, taken out, put in or moved breaks the chain of hashes. With checkpoints it is also found out
when the end was cut off, an older copy was put in its place, or all of it was written anew. Exits with
1 when anything does not hold.

Examples:

    vigil audit verify
    vigil audit verify --checkpoints /mnt/witness/vigil-audit.checkpoints --key officer.pub`
}

// errAuditBroken says that the audit log does not hold.
var errAuditBroken = errors.New("the audit log does not hold")

// Run verifies.
func (c *auditVerifyCommand) Run(ctx context.Context, io streams) error {
	var key ed25519.PublicKey
	if c.Key != "" {
		var err error
		if key, err = app.ParseReportKey(c.Key); err != nil {
			return &usageError{fmt.Errorf("--key: %w", err)}
		}
	}
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	v, err := app.VerifyAudit(ctx, cfg, c.Checkpoints, key)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(io.out, &v); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(io.out, "%s %s, head %s\n", count(int64(v.Records)), plural(int64(v.Records), "record holds", "records hold"), v.Head)
		switch {
		case v.Checkpoints > 0:
			fmt.Fprintf(io.out, "%s %s, the newest of %s\n", count(int64(v.Checkpoints)), plural(int64(v.Checkpoints), "checkpoint fits", "checkpoints fit"), v.Newest.Format(time.RFC3339))
		case len(v.Problems) == 0:
			fmt.Fprintln(io.out, "no checkpoint was looked at: that its end was cut off, or all of it written anew, would not show")
		}
		for _, p := range v.Problems {
			fmt.Fprintf(io.out, "WRONG: %s\n", printable(p))
		}
	}
	if len(v.Problems) > 0 {
		return errAuditBroken
	}
	return nil
}
