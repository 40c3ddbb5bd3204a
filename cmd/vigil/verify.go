package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"vigil/internal/app"
	"vigil/internal/config"
)

type verifyCommand struct {
	Pack   string `arg:"" placeholder:"PACK.zip" help:"The evidence pack."`
	Key    string `placeholder:"PUBLIC-KEY" help:"The key that must have signed, or a file with it (see vigil reports key)."`
	Config string `short:"c" placeholder:"FILE" help:"Also compute the findings again, from the data folder of this configuration."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (verifyCommand) Help() string {
	return `Checks an evidence pack (see the page of a case in the console):

  1. the signature of its manifest, the seal over all of its bytes, and each file's SHA-256;
  2. that its counts and its list of customers follow from its events, that each event belongs to a
     finding, and that the hashes of the audit log's records follow from them;
  3. with --config, that its findings come out the same, bit for bit, when the log is judged again.

1 and 2 need nothing but the pack. Without --key they show that nothing was changed since it was
signed, and not by whom. 3 reads the data folder beside the running service; it says so where the log
no longer goes back far enough, or the settings have changed. Exits with 1 when anything is wrong.

Examples:

    vigil verify vigil-evidence-c-1.zip --key officer.pub
    vigil verify vigil-evidence-c-1.zip -c vigil.yaml`
}

// errNotAsPacked says that the pack is not what it claims to be.
var errNotAsPacked = errors.New("the pack is not as it was signed, or does not follow from what is in it")

// Run verifies.
func (c *verifyCommand) Run(ctx context.Context, io streams) error {
	var key ed25519.PublicKey
	var err error
	if c.Key != "" {
		if key, err = app.ParseReportKey(c.Key); err != nil {
			return &usageError{fmt.Errorf("--key: %w", err)}
		}
	}
	var cfg *config.Config
	if c.Config != "" {
		if cfg, err = config.Load(c.Config, app.Known()); err != nil {
			return err
		}
	}
	r, err := app.VerifyPack(ctx, c.Pack, key, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(io.out, &r); err != nil {
			return err
		}
	} else {
		if m := &r.Manifest; m.Case != "" {
			fmt.Fprintf(io.out, "evidence pack of case %s, made %s\n", printable(m.Case), m.Of.Made.UTC().Format("2 January 2006 15:04 UTC"))
		}
		for _, k := range r.Checks {
			fmt.Fprintf(io.out, "  %s: %s\n", printable(k.What), printable(k.Says))
		}
		for _, p := range r.Problems {
			fmt.Fprintf(io.out, "WRONG: %s\n", printable(p))
		}
		if len(r.Problems) == 0 && cfg == nil {
			fmt.Fprintln(io.out, "  computed again: not done; give --config on the machine that has the data")
		}
		if len(r.Problems) == 0 && !r.Trusted {
			fmt.Fprintln(io.out, "  signed by: what the pack itself says; give the key with --key to know by whom")
		}
	}
	if len(r.Problems) > 0 {
		return errNotAsPacked
	}
	return nil
}
