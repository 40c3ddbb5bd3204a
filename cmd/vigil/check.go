package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"vigil/internal/app"
	"vigil/internal/config"
)

type checkCommand struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
	JSON   bool   `name:"json" help:"Print one problem a line as JSON: file, line, column, field, message, remedy."`
}

// Help is shown below the flags.
func (checkCommand) Help() string {
	return `Reads the file and the rules that it names, runs the rules' examples, looks its secrets up, and tells every problem with its line, its field and the
remedy. Nothing is written, made or connected to. Exits with 1 when there is a problem.

Examples:

    vigil check -c vigil.yaml
    vigil check -c vigil.yaml --json | jq .field`
}

// Run validates.
func (c *checkCommand) Run(io streams) error {
	cfg, err := config.Load(c.Config, app.Known())
	var bad *config.Error
	if c.JSON && errors.As(err, &bad) {
		encoder := json.NewEncoder(io.out)
		for _, p := range bad.Problems {
			if err := encoder.Encode(p); err != nil {
				return fmt.Errorf("print problem: %w", err)
			}
		}
		return fmt.Errorf("%d %s in %s", len(bad.Problems), plural(int64(len(bad.Problems)), "problem", "problems"), c.Config)
	}
	if err != nil {
		return err
	}
	if !c.JSON {
		own := ""
		if len(cfg.Rules) > 0 {
			set, _ := app.LoadRules(cfg.Rules) // Load has told what is wrong
			n := int64(0)
			for _, r := range set.Rules() {
				if !r.Builtin {
					n++
				}
			}
			own = fmt.Sprintf(", and %s %s of your own, their examples told right", count(n), plural(n, "rule", "rules"))
		}
		_, err = fmt.Fprintf(io.out, "%s: good, with %d %s and %d actor %s%s\n", printable(c.Config),
			len(cfg.Sources), plural(int64(len(cfg.Sources)), "source", "sources"),
			len(cfg.Actors), plural(int64(len(cfg.Actors)), "rule", "rules"), own)
	}
	return err
}
