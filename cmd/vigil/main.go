// Command vigil watches who reads the data behind customer-service chatbots: it
// reads the access logs of stores, learns what is normal, and tells of likely
// breaches in plain words.
//
// Each subcommand has a file of its own, which reads flags, calls internal/app
// and prints. It exits with 0 when all went well, 1 when something failed, 2 when
// it was called wrongly, and 3 when scan was asked to fail on findings and there
// were some.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitFailure  = 1
	exitUsage    = 2
	exitFindings = 3
)

// commands are the subcommands, in the order in which help lists them.
type commands struct {
	Demo       demoCommand       `cmd:"" group:"begin" help:"Replay a recorded help desk with three breaches; nothing else is needed."`
	Init       initCommand       `cmd:"" group:"begin" help:"Ask a few questions and write a configuration."`
	Check      checkCommand      `cmd:"" group:"begin" help:"Validate a configuration; with --live, try what it connects to."`
	Serve      serveCommand      `cmd:"" group:"run" help:"Watch the configured sources: keep, judge and tell."`
	Collect    collectCommand    `cmd:"" group:"run" help:"Read sources near where they are, and send them to a central vigil."`
	Sources    sourcesCommand    `cmd:"" group:"run" help:"Tell how each source is, or suggest sources from logs that lie there."`
	Cases      casesCommand      `cmd:"" group:"run" help:"List cases, show one, and work on it."`
	Findings   findingsCommand   `cmd:"" group:"run" help:"List findings, show one, say what it was, expect what it tells of."`
	Exceptions exceptionsCommand `cmd:"" group:"run" help:"List and end exceptions."`
	Silences   silencesCommand   `cmd:"" group:"run" help:"Keep messages back for a time, and list and end such silences."`
	Users      usersCommand      `cmd:"" group:"run" help:"List who works with vigil, make links that set accounts up, and disable accounts."`
	Tokens     tokensCommand     `cmd:"" group:"run" help:"Make, list and revoke the tokens with which programs ask the API."`
	Alerts     alertsCommand     `cmd:"" group:"run" help:"Preview a message, or send one that is a test."`
	Reports    reportsCommand    `cmd:"" group:"run" help:"Make, list and verify audit reports, signed and kept."`
	Verify     verifyCommand     `cmd:"" group:"run" help:"Verify an evidence pack, and compute its findings again."`
	Audit      auditCommand      `cmd:"" group:"run" help:"Verify the log of who saw and did what."`
	Rules      rulesCommand      `cmd:"" group:"run" help:"List the rules, show one, or try one on history before it goes live."`
	Honey      honeyCommand      `cmd:"" group:"run" help:"Plant customers who do not exist, so that any read of them is seen."`
	Scan       scanCommand       `cmd:"" group:"logs" help:"Learn and judge existing logs in one pass; print findings, worst first."`
	Score      scoreCommand      `cmd:"" group:"logs" help:"Print one line of JSON per event with how unusual it is."`
	Parse      parseCommand      `cmd:"" group:"logs" help:"Print what is read of logs, one event a line."`
	Explain    explainCommand    `cmd:"" group:"logs" help:"Show how one record of a log was understood, field by field."`
	Formats    formatsCommand    `cmd:"" group:"logs" help:"List the logs that vigil reads, and what each tells."`
	Drill      drillCommand      `cmd:"" group:"proof" help:"Stage breaches in made-up or recorded traffic and tell which of them are found."`
	Blindspots blindspotsCommand `cmd:"" group:"proof" help:"Tell which breaches your logs and feeds would show, and what would mend the rest."`
	Tune       tuneCommand       `cmd:"" group:"proof" help:"Show the alert budget, who changed it, and what another one would have told."`
	Replay     replayCommand     `cmd:"" group:"proof" help:"Judge recorded history again, and show what another setting would have found."`
	Triage     triageCommand     `cmd:"" group:"proof" help:"Tell how well verdicts and drills tell breaches from what is none."`
	Schema     schemaCommand     `cmd:"" group:"tools" help:"Print the JSON Schema of the configuration, for editors."`
	Grafana    grafanaCommand    `cmd:"" group:"tools" help:"Write dashboards for Grafana, and the files by which it finds them."`
	Completion completionCommand `cmd:"" group:"tools" help:"Print what completes vigil's commands in bash, zsh or fish."`
	Version    versionCommand    `cmd:"" group:"tools" help:"Print the version."`
}

// groups are the headings under which help lists the commands.
func groups() kong.Option {
	return kong.ExplicitGroups([]kong.Group{
		{Key: "begin", Title: "Begin:"},
		{Key: "run", Title: "Watch, and answer what is found:"},
		{Key: "logs", Title: "Read logs that lie there:"},
		{Key: "proof", Title: "See how good it is:"},
		{Key: "tools", Title: "Tools:"},
	})
}

// streams is where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a wrong call; it exits with 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// errFindings says that findings were asked to be a failure, and there are some.
var errFindings = errors.New("findings")

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run is main with its surroundings given.
func run(args []string, io streams) int {
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("vigil"),
		kong.Description("Watches who reads the data behind customer-service chatbots."),
		kong.UsageOnError(),
		kong.Writers(io.out, io.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		groups(),
		kong.Bind(io),
		kong.Vars{"keyvar": keyVariable, "seeds": "1"},
	)
	if err != nil {
		return fail(io, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		return fail(io, &usageError{fmt.Errorf("%w; see vigil --help", err)})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	return fail(io, kctx.Run())
}

// fail prints an error as one line, or as one line per problem of a
// configuration, and returns the exit code.
func fail(io streams, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, syscall.EPIPE):
		return exitFailure // the reader has gone; nobody is left to tell
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(io.err, "vigil: stopped")
		return exitFailure
	}
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(io.err, "vigil: %s\n", printable(line))
	}
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}
