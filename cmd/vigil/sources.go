package main

import (
	"errors"
	"fmt"

	"vigil/internal/app"
)

type sourcesCommand struct {
	Status  sourceStatusCommand `cmd:"" help:"Tell how each source is: whether it is read, how far behind it is, and what is open about it."`
	Suggest suggestCommand      `cmd:"" help:"Look at logs and write the configuration for them."`
}

type suggestCommand struct {
	Files []string `arg:"" name:"file" help:"Log files, folders or globs."`
}

// Help is shown below the flags.
func (suggestCommand) Help() string {
	return `Looks at the start of each log that lies there, finds its format, and guesses by the names of tables, columns
and paths which of them hold customers and conversations. Prints a configuration to begin with; what it could
make nothing of goes to stderr with the reason. Nothing is kept.

Examples:

    vigil sources suggest /var/log/ > vigil.yaml
    vigil sources suggest /var/log/postgresql/ /var/log/nginx/access.log*`
}

// Run suggests.
func (c *suggestCommand) Run(io streams) error {
	sources, passed, err := app.Suggest(c.Files)
	if err != nil {
		return err
	}
	for i, p := range passed {
		if i == listSome {
			fmt.Fprintf(io.err, "vigil: %s more are no logs that vigil reads\n", count(int64(len(passed)-i)))
			break
		}
		fmt.Fprintf(io.err, "vigil: %s: %s\n", printable(p.Path), printable(p.Reason))
	}
	if len(sources) == 0 {
		return errors.New("no log that vigil reads was found; vigil formats lists them")
	}
	_, err = fmt.Fprint(io.out, app.SuggestedYAML(sources))
	return err
}
