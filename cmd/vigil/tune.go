package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type tuneCommand struct {
	deskFlags `embed:""`

	Budget   *float64 `placeholder:"N" help:"Say what so many false findings a day would have told in the last 30 days."`
	Diff     []int    `placeholder:"FROM,TO" help:"Say what differs between two versions; one alone is compared with the one in force."`
	Propose  string   `placeholder:"WHAT" help:"Propose a budget (2), version:N, configuration, or replay:ID, also with a report, replay:ID/0."`
	Only     string   `enum:",budget,rules" default:"" placeholder:"PART" help:"With --propose: leave the other part as it is; budget or rules."`
	Why      string   `placeholder:"TEXT" help:"With --propose: the reason, in a sentence."`
	Confirm  string   `placeholder:"ID" help:"Confirm what somebody else has proposed, with a token of your own."`
	Withdraw string   `placeholder:"ID" help:"Withdraw what is proposed."`
}

// Help is shown below the flags.
func (tuneCommand) Help() string {
	return `Shows the setting in force (the alert budget and the rules), since when and by whom, what is proposed, and what
held before. With --budget it judges the last 30 days again by another budget, beside what was live, and
changes nothing.

To change the setting one person proposes another and a second one confirms it, in the console or here. Going
back to an older version is a proposal too, and becomes a version of its own. A command on vigil's own machine
may propose; to confirm, give --server and an API token of your own: it proves who you are.

Examples:

    vigil tune -c vigil.yaml
    vigil tune --budget 2
    vigil tune --diff 3,7
    vigil tune --propose 2 --why "five were too many to read"
    vigil tune --propose version:3 --only rules --why "the new rule tells too much"
    vigil tune --confirm s-4-t1x2y3 --server https://vigil.example.com --token env:VIGIL_TOKEN`
}

// Run shows, or changes.
func (c *tuneCommand) Run(ctx context.Context, io streams) error {
	asked := 0
	for _, x := range []bool{c.Budget != nil, len(c.Diff) > 0, c.Propose != "", c.Confirm != "", c.Withdraw != ""} {
		if x {
			asked++
		}
	}
	switch {
	case asked > 1:
		return &usageError{errors.New("--budget, --diff, --propose, --confirm and --withdraw are one at a time")}
	case c.Propose == "" && (c.Why != "" || c.Only != ""):
		return &usageError{errors.New("--why and --only belong to --propose")}
	case c.Budget != nil && c.Server != "":
		return &usageError{errors.New("--budget judges what is kept on this machine: leave out --server, or begin a back-test in the console")}
	case c.Budget != nil:
		return (&replayCommand{Live: c.Config, Budget: c.Budget, JSON: c.JSON}).Run(ctx, io)
	case len(c.Diff) > 0:
		return c.compare(ctx, io)
	case c.Propose != "":
		return c.propose(ctx, io)
	case c.Confirm != "":
		return c.answer(ctx, io, api.Answering{ID: c.Confirm, Confirm: true}, "confirmed: it holds from the next entry of the log on")
	case c.Withdraw != "":
		return c.answer(ctx, io, api.Answering{ID: c.Withdraw}, "withdrawn")
	}
	return c.show(ctx, io)
}

// service speaks with the service that is meant, for a while.
func (c *tuneCommand) service(use func(d *app.TuningDesk) error) (err error) {
	var d *app.TuningDesk
	if c.Server == "" && c.Token == "" {
		cfg, err := config.Load(c.Config, app.Known())
		if err != nil {
			return err
		}
		if d, err = app.OpenTuning(cfg); err != nil {
			return err
		}
	} else {
		token, err := c.secret()
		if err != nil {
			return err
		}
		if d, err = app.OpenTuningAt(c.Server, token); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return use(d)
}

// elsewhere reports whether another machine's vigil is meant. What is here is read from its
// data folder, whether the service runs or not.
func (c *tuneCommand) elsewhere() bool { return c.Server != "" || c.Token != "" }

func (c *tuneCommand) show(ctx context.Context, io streams) error {
	var s *app.Setting
	var err error
	if c.elsewhere() {
		err = c.service(func(d *app.TuningDesk) error {
			s, err = d.Setting(ctx)
			return err
		})
	} else {
		var cfg *config.Config
		if cfg, err = config.Load(c.Config, app.Known()); err == nil {
			s, err = app.SettingHistory(ctx, cfg)
		}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(io.out, s)
	}
	return printSetting(io.out, s)
}

func (c *tuneCommand) compare(ctx context.Context, io streams) error {
	from, to := 0, c.Diff[0]
	switch len(c.Diff) {
	case 1:
	case 2:
		from, to = c.Diff[0], c.Diff[1]
	default:
		return &usageError{errors.New("--diff compares two versions, such as --diff 3,7")}
	}
	if from < 0 || to < 1 {
		return &usageError{errors.New("--diff takes numbers of versions, from 1 on; vigil tune lists them")}
	}
	var v api.VersionDifference
	var err error
	if c.elsewhere() {
		err = c.service(func(d *app.TuningDesk) error {
			v, err = d.Difference(ctx, from, to)
			return err
		})
	} else {
		var cfg *config.Config
		if cfg, err = config.Load(c.Config, app.Known()); err == nil {
			v, err = app.SettingDifference(ctx, cfg, from, to)
		}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(io.out, &v)
	}
	return printDifferences(io.out, &v)
}

func (c *tuneCommand) propose(ctx context.Context, io streams) error {
	ask, err := proposing(c.Propose)
	if err != nil {
		return &usageError{err}
	}
	if ask.Why = strings.TrimSpace(c.Why); ask.Why == "" {
		return &usageError{errors.New("--propose needs --why: who confirms it judges by that")}
	}
	ask.Only, ask.Seen = api.Part(c.Only), api.AnyRevision
	return c.service(func(d *app.TuningDesk) error {
		p, err := d.Propose(ctx, ask)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(io.out, &p)
		}
		_, err = fmt.Fprintf(io.out, "proposed as %s: a second person confirms it in the console, or with vigil tune --confirm %s\n", printable(p.ID), printable(p.ID))
		return err
	})
}

// proposing reads what is proposed.
func proposing(what string) (ask api.Proposing, err error) {
	kind, rest, _ := strings.Cut(what, ":")
	switch kind {
	case "configuration":
		ask.Configuration = true
		if rest != "" {
			err = fmt.Errorf("--propose configuration takes nothing behind it")
		}
	case "version":
		if ask.Version, err = strconv.Atoi(rest); err != nil || ask.Version < 1 {
			err = fmt.Errorf("--propose %q names no version: write version:3; vigil tune lists them", what)
		}
	case "replay":
		id, report, some := strings.Cut(rest, "/")
		if ask.Replay = id; id == "" {
			err = fmt.Errorf("--propose %q names no back-test: write replay:ID", what)
		}
		if some && err == nil {
			if ask.Report, err = strconv.Atoi(report); err != nil {
				err = fmt.Errorf("--propose %q names no report: write replay:ID/0 for its first", what)
			}
		}
	default:
		n, parsed := strconv.ParseFloat(what, 64)
		if parsed != nil || !(n >= 0 && n <= vigil.MaxBudget) {
			err = fmt.Errorf("--propose %q is no budget from 0 to %d, version:N, configuration or replay:ID", what, vigil.MaxBudget)
		}
		ask.PerDay = &n
	}
	return ask, err
}

func (c *tuneCommand) answer(ctx context.Context, io streams, a api.Answering, done string) error {
	return c.service(func(d *app.TuningDesk) error {
		if err := d.Answer(ctx, a); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, struct {
				ID        string `json:"id"`
				Confirmed bool   `json:"confirmed"`
			}{a.ID, a.Confirm})
		}
		_, err := fmt.Fprintf(io.out, "%s: %s\n", printable(a.ID), done)
		return err
	})
}

// budgetText says a budget: "2 false findings a day".
func budgetText(perDay float64) string {
	if perDay == 0 {
		return "the default: one false finding a day for each 1,000 people who read customers' data, at least one a month"
	}
	return phrase.Number(perDay) + " false " + plural(int64(perDay), "finding", "findings") + " a day"
}

func printSetting(w io.Writer, s *app.Setting) error {
	if len(s.Versions) == 0 {
		fmt.Fprintf(w, "budget: %s, by the configuration\n", budgetText(s.File))
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		head := "before"
		if i == 0 {
			head = "in force"
		}
		fmt.Fprintf(w, "%s: version %d, since %s: %s\n", head, v.N, v.Time.UTC().Format(time.DateTime), strings.Join(versionText(v, i == 0), "; "))
	}
	if len(s.Versions) > 0 && s.Versions[0].Budget.Own && s.Versions[0].Budget.PerDay != s.File {
		fmt.Fprintf(w, "the configuration says %s, which is not in force\n", budgetText(s.File))
	}
	if p := s.Proposal; p != nil {
		fmt.Fprintf(w, "proposed: %s, %s, by %s at %s: %s\n", printable(p.ID), strings.Join(proposalText(p), "; "), printable(p.By), p.Time.UTC().Format(time.DateTime), printable(p.Why))
	}
	return nil
}

// versionText says what a version changed; of the one in force also the budget that holds.
func versionText(v *api.SettingVersion, whole bool) (out []string) {
	if v.BudgetChanged || whole {
		out = append(out, "budget "+budgetText(v.Budget.PerDay)+whoChanged(v.Budget.By, v.Budget.Confirmed, v.Budget.Why))
	}
	if c := v.Changed; c != nil {
		words := fmt.Sprintf("rules: %d added, %d changed, %d removed", len(c.Added), len(c.Changed), len(c.Removed))
		out = append(out, words+whoChanged(c.By, c.Confirmed, c.Why))
	}
	return out
}

func whoChanged(by, confirmed, why string) string {
	if by == "" {
		return ", by the configuration"
	}
	return fmt.Sprintf(", proposed by %s, confirmed by %s: %s", printable(by), printable(confirmed), printable(why))
}

func proposalText(p *api.Proposal) (out []string) {
	if p.Version > 0 {
		out = append(out, fmt.Sprintf("back to version %d", p.Version))
	}
	if p.Replay != "" {
		out = append(out, "as back-test "+printable(p.Replay)+" tried it")
	}
	if b := p.Budget; b != nil {
		out = append(out, "budget "+budgetText(b.PerDay))
	}
	if r := p.Rules; r != nil {
		words := "rules"
		if !r.Own {
			words = "the configuration's rules"
		}
		out = append(out, fmt.Sprintf("%s: %d added, %d changed, %d removed", words, len(r.Added), len(r.Changed), len(r.Removed)))
	}
	return out
}

func printDifferences(w io.Writer, d *api.VersionDifference) error {
	fmt.Fprintf(w, "from version %d, since %s, to version %d, since %s\n", d.From.N, d.From.Time.UTC().Format(time.DateTime), d.To.N, d.To.Time.UTC().Format(time.DateTime))
	if !d.Budget && len(d.Rules) == 0 {
		fmt.Fprintln(w, "nothing differs")
	}
	if d.Budget {
		fmt.Fprintf(w, "budget: %s -> %s\n", budgetText(d.From.Budget.PerDay), budgetText(d.To.Budget.PerDay))
	}
	for i := range d.Rules {
		r := &d.Rules[i]
		fmt.Fprintf(w, "rule %s: %s\n", printable(r.ID), r.Step)
		if r.Unkept {
			fmt.Fprintln(w, "  its text as it was then is not kept")
		}
		for _, line := range r.Lines {
			fmt.Fprintf(w, "  %s\n", printable(line))
		}
	}
	if d.To.N == d.Newest {
		return nil
	}
	for _, x := range []struct{ part, why string }{{"budget", d.NoBudget}, {"rules", d.NoRules}} {
		if x.why != "" {
			fmt.Fprintf(w, "back to the %s of version %d: no. %s\n", x.part, d.To.N, printable(x.why))
		}
	}
	_, err := fmt.Fprintf(w, "to go back: vigil tune --propose version:%d --why REASON\n", d.To.N)
	return err
}
