package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vigil/internal/app"
	"vigil/internal/app/starter"
)

type initCommand struct {
	Out     string   `short:"o" default:"vigil.yaml" placeholder:"FILE" help:"The configuration to write (default: ${default}); secrets stand beside it in a file that ends in .env."`
	Logs    []string `sep:"none" placeholder:"PATH" help:"A log file, folder or glob to look at, instead of asking; repeat it for more."`
	DataDir string   `placeholder:"DIR" help:"Where vigil keeps what it knows, instead of asking."`
	Yes     bool     `short:"y" help:"Ask nothing: take the default of each question."`
	Force   bool     `help:"Replace files that are there. Secrets in them are kept."`
}

// Help is shown below the flags.
func (initCommand) Help() string {
	return `Asks where to keep data, which logs to follow, whether applications send events, and where to tell findings.
Enter takes the default. Then it writes a configuration with the answers, and all else that can be set as comments, and, where
there are secrets, a file with them that only you can read. Nothing is written before the last answer, nor when the result
would not pass vigil check; Ctrl-C leaves everything as it was. A file that is there is replaced only with --force.

Examples:

    vigil init
    vigil init --logs /var/log/postgresql/ --logs /var/log/nginx/
    vigil init --yes --logs /var/log/postgresql/ --data-dir /srv/vigil --out /etc/vigil/vigil.yaml
    vigil init --yes --logs ./export/ --data-dir ./vigil-data`
}

// Run asks and writes.
func (c *initCommand) Run(ctx context.Context, io streams) error {
	if !c.Force {
		if err := starter.Free(c.Out); err != nil {
			return err
		}
	}
	a := newAsker(io, c.Yes)
	defer a.close()
	choices, err := c.choose(ctx, io, a)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	written, err := starter.Write(c.Out, choices, c.Force)
	if err != nil {
		return err
	}
	c.next(io, choices, &written)
	return nil
}

// choose asks what is not said by flags.
func (c *initCommand) choose(ctx context.Context, io streams, a *asker) (*starter.Choices, error) {
	choices := &starter.Choices{}
	if err := c.dataDir(ctx, a, choices); err != nil {
		return nil, err
	}
	if err := c.logs(ctx, io, a, choices); err != nil {
		return nil, err
	}
	// What can't be read from a file must be sent.
	usual := "no"
	if len(choices.Sources) == 0 {
		usual = "yes"
	}
	err := a.ask(ctx, "Do applications send events themselves, such as a bot? A token is made for them", usual, func(answer string) error {
		yes, err := yesOrNo(answer)
		choices.Push = yes
		return errors.Join(err, choices.Check())
	})
	if err != nil {
		return nil, err
	}
	err = a.ask(ctx, "Slack channel where findings are told: its id, such as C0123ABC, or none to print them", "none", func(answer string) error {
		choices.Channel = none(answer)
		return starter.CheckChannel(choices.Channel)
	})
	return choices, err
}

func (c *initCommand) dataDir(ctx context.Context, a *asker, choices *starter.Choices) (err error) {
	if c.DataDir != "" {
		if choices.DataDir, err = starter.DataDir(c.DataDir); err != nil {
			return &usageError{fmt.Errorf("--data-dir: %w", err)}
		}
		return nil
	}
	return a.ask(ctx, "Where is kept what vigil knows? A folder", starter.DefaultDataDir(), func(answer string) (err error) {
		choices.DataDir, err = starter.DataDir(answer)
		return err
	})
}

// logs finds the sources that are files.
func (c *initCommand) logs(ctx context.Context, io streams, a *asker, choices *starter.Choices) error {
	var found []app.SuggestedSource
	if len(c.Logs) > 0 {
		sources, err := lookAt(ctx, io, c.Logs)
		if err != nil {
			return err
		}
		found = sources
	} else {
		usual := strings.Join(starter.UsualLogs(), " ")
		if usual == "" {
			usual = "none"
		}
		err := a.ask(ctx, "Which logs? Files, folders or globs with spaces between them, or none", usual, func(answer string) (err error) {
			if found = nil; none(answer) == "" {
				return nil
			}
			found, err = lookAt(ctx, io, strings.Fields(answer))
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return a.ask(ctx, "Which of them are watched? Their numbers, all or none", "all", func(answer string) (err error) {
		choices.Sources, err = pick(found, answer)
		return err
	})
}

// lookAt says what lies there, and returns what can be read of it.
func lookAt(ctx context.Context, io streams, paths []string) ([]app.SuggestedSource, error) {
	full := make([]string, len(paths))
	for i, p := range paths {
		var err error
		if full[i], err = starter.Path(p); err != nil {
			return nil, err
		}
	}
	type looked struct {
		sources []app.SuggestedSource
		passed  []app.Passed
		err     error
	}
	fmt.Fprintln(io.out, "  Looking at what lies there ...")
	done := make(chan looked, 1)
	go func() { // many logs take their time, and Ctrl-C shall not wait for them
		sources, passed, err := app.Suggest(full)
		done <- looked{sources, passed, err}
	}()
	var got looked
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got = <-done:
	}
	if got.err != nil {
		return nil, got.err
	}
	for i := range got.sources {
		s := &got.sources[i]
		fmt.Fprintf(io.out, "  %d. %s: %s\n     %s %s looked at; %s name a customer, %s a conversation\n", i+1, printable(s.Files), s.Format,
			count(int64(s.Events)), plural(int64(s.Events), "access", "accesses"), count(int64(s.Subjects)), count(int64(s.Conversations)))
	}
	if len(got.sources) == 0 {
		fmt.Fprintln(io.out, "  Nothing that vigil reads lies there; vigil formats lists what it reads.")
	}
	if n := int64(len(got.passed)); n > 0 {
		fmt.Fprintf(io.out, "  %s %s left out; vigil sources suggest says why.\n", count(n), plural(n, "file is", "files are"))
	}
	return got.sources, nil
}

// pick takes what an answer names of what was found.
func pick(found []app.SuggestedSource, answer string) (picked []app.SuggestedSource, err error) {
	switch strings.ToLower(answer) {
	case "all":
		return found, nil
	case "none":
		return nil, nil
	}
	taken := make([]bool, len(found))
	for word := range strings.FieldsFuncSeq(answer, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(found) {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", word, len(found))
		}
		taken[n-1] = true
	}
	for i := range found {
		if taken[i] {
			picked = append(picked, found[i])
		}
	}
	if len(picked) == 0 {
		return nil, errors.New("write numbers, all or none")
	}
	return picked, nil
}

// next says what was written, and what to do with it.
func (c *initCommand) next(io streams, choices *starter.Choices, w *starter.Written) {
	fmt.Fprintf(io.out, "\nWrote %s with %d %s.\n", printable(c.Out), sourceCount(choices), plural(int64(sourceCount(choices)), "source", "sources"))
	for _, m := range w.Mappings {
		fmt.Fprintf(io.out, "Wrote %s, made by the names in a log of no format that vigil knows: look at it.\n", printable(m))
	}
	env := starter.EnvPath(c.Out)
	if w.Env != "" {
		fmt.Fprintf(io.out, "Wrote %s with the secrets, which only you can read.\n", printable(env))
	}
	if choices.Channel != "" {
		fmt.Fprintf(io.out, "Write Slack's bot token into %s before you go on.\n", printable(env))
	}
	fmt.Fprint(io.out, "\nNext:\n\n")
	if w.Env != "" {
		if !filepath.IsAbs(env) {
			env = "./" + filepath.Clean(env) // without a slash a shell looks in PATH
		}
		fmt.Fprintf(io.out, "    set -a; . %s; set +a\n", shellWord(env))
	}
	fmt.Fprintf(io.out, "    vigil check -c %s --live\n    vigil serve -c %s\n", shellWord(c.Out), shellWord(c.Out))
}

func sourceCount(c *starter.Choices) int {
	if c.Push {
		return len(c.Sources) + 1
	}
	return len(c.Sources)
}

// none is the answer, or empty where it says none.
func none(answer string) string {
	if slices.Contains([]string{"none", "no", "-"}, strings.ToLower(answer)) {
		return ""
	}
	return answer
}

func yesOrNo(answer string) (bool, error) {
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true, nil
	case "n", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither yes nor no", answer)
}
