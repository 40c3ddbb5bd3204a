// Package jira keeps an issue of Jira for each case: Jira Cloud by its REST API v3, Jira
// Data Center by v2.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. The issue has a label made of the case's ID, and is looked for by it
// before one is created: so a case has one issue even if an answer was lost. When the case
// gets graver, the issue's title and priority change; when somebody took it, a comment says
// so; when it is resolved, the issue goes to the status that was configured. A case that only grew changes
// nothing, since Jira writes an e-mail for each change. The description stays as it was
// written first, for people may have gone on with it. Replies become comments, each with a
// mark by which it is found again. Digests make no issue, notices only from severity high
// on. The package does not queue and does not retry: it says by the error's type whether
// the pipeline should.
//
// Foreign text is text in both forms (see document.go), and the token is kept out of
// every error.
package jira

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

const (
	// pace keeps below what Jira lets one user ask.
	pace = time.Second
	// maxAnswer bounds what is read of an answer, in bytes: issues and comments are long.
	maxAnswer = 2 << 20
	// maxFields and maxLabels bound what is configured.
	maxFields = 50
	maxLabels = 20
)

// Secret is an API token or personal access token. It prints as "[redacted]".
type Secret = outbound.Secret

// Config is what a user writes.
type Config struct {
	// URL is where Jira is reached, such as https://example.atlassian.net. Required.
	URL string `yaml:"url"`
	// Edition is "cloud" or "datacenter". Empty means cloud.
	Edition string `yaml:"edition"`
	// User is the account of the token: an e-mail address on Jira Cloud, where it is
	// required. Empty on Data Center for a personal access token, a user's name there
	// for a password in Token.
	User string `yaml:"user"`
	// Token is the API token (Cloud), personal access token or password (Data Center).
	// Required.
	Token Secret `yaml:"token"`
	// Project is the key of the project in which issues are created, such as SEC.
	// Required.
	Project string `yaml:"project"`
	// IssueType is the name of their type. Empty means Task.
	IssueType string `yaml:"issue_type"`
	// Priorities are the names of priorities by severity (critical, high, medium, low);
	// one that is missing is Jira's own (Highest, High, Medium, Low), one that is empty
	// is left to the project.
	Priorities map[vigil.Severity]string `yaml:"priorities"`
	// Labels are added to each issue, at most 20; they hold no spaces.
	Labels []string `yaml:"labels"`
	// Fields are set when an issue is created, by the field's id, in the form that
	// Jira's API wants, such as {components: [{name: SOC}], customfield_10010: Breach}.
	// At most 50. Those that vigil sets itself can't be given.
	Fields map[string]any `yaml:"fields"`
	// Done is the name of the status to which the issue of a resolved case goes, such as
	// Done. Empty leaves the issue where it is, and a comment says it.
	Done string `yaml:"done"`
	// Reopen is the name of the status to which the issue goes when its case opens anew.
	// Empty leaves it where it is, and a comment says it.
	Reopen string `yaml:"reopen"`
	// AllowPrivate lets URL be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout time.Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// ConsoleURL is the console's address as people reach it. Empty leaves links out.
	ConsoleURL string `yaml:"-"`
}

// The editions.
const (
	editionCloud      = "cloud"
	editionDataCenter = "datacenter"
)

// Options is what code passes.
type Options struct {
	// Name is the notifier's, where there are several; empty means "jira".
	Name string
	// Logger says what Jira does not take, where it is told without; nil means none.
	Logger *slog.Logger
}

// Notifier keeps issues in one project. It implements alerts.Notifier, alerts.Pacer,
// alerts.Finder and alerts.Threader.
type Notifier struct {
	cfg    Config
	name   string
	base   string
	header http.Header
	client *outbound.Client
	log    *slog.Logger
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
	_ alerts.Finder   = (*Notifier)(nil)
	_ alerts.Threader = (*Notifier)(nil)
)

var (
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,254}$`)
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,254}-[0-9]{1,18}$`)
)

// own are the fields that vigil sets itself.
var own = []string{"project", "issuetype", "summary", "description", "priority", "labels"}

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.Edition == "" {
		cfg.Edition = editionCloud
	}
	if cfg.IssueType == "" {
		cfg.IssueType = "Task"
	}
	if err := check(cfg); err != nil {
		return nil, err
	}
	priorities := map[vigil.Severity]string{vigil.SeverityCritical: "Highest", vigil.SeverityHigh: "High", vigil.SeverityMedium: "Medium", vigil.SeverityLow: "Low"}
	for s, p := range cfg.Priorities {
		priorities[s] = p
	}
	cfg.Priorities = priorities
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {"Bearer " + string(cfg.Token)}}
	if cfg.User != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(cfg.User+":"+string(cfg.Token))))
	}
	client, err := outbound.New(outbound.Config{
		Channel: "jira", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile, MaxAnswer: maxAnswer,
		Remedies: map[int]string{
			http.StatusUnauthorized: "check jira.user and jira.token: the token may have expired or been withdrawn",
			http.StatusForbidden:    "the account may not do it: give it the permissions to browse the project and to create, edit, transition and comment issues in jira.project (on Data Center, too many wrong passwords ask for a CAPTCHA: sign in once in a browser)",
			http.StatusNotFound:     "check jira.url, jira.edition and jira.project, and that the account may see the project",
			http.StatusGone:         "check jira.edition: this Jira no longer has that part of its API",
		},
	})
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(cfg.URL, "/")
	if err := client.CheckURL(Secret(base)); err != nil {
		return nil, fmt.Errorf("jira url: %w", err)
	}
	if cfg.Edition == editionCloud {
		base += "/rest/api/3"
	} else {
		base += "/rest/api/2"
	}
	n := &Notifier{cfg: cfg, name: opts.Name, base: base, header: header, client: client, log: opts.Logger}
	if n.name == "" {
		n.name = "jira"
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	return n, nil
}

func check(cfg Config) error {
	space := func(r rune) bool { return r <= ' ' || r == 0x7f }
	switch {
	case cfg.URL == "":
		return errors.New("jira url is missing: give Jira's address, such as https://example.atlassian.net")
	case cfg.Edition != editionCloud && cfg.Edition != editionDataCenter:
		return fmt.Errorf("jira edition %q is not known: say cloud or datacenter", cfg.Edition)
	case cfg.Token == "":
		return errors.New("jira token is missing: make an API token (Cloud) or a personal access token (Data Center) of an account for vigil")
	case strings.ContainsFunc(string(cfg.Token), func(r rune) bool { return r < ' ' || r == 0x7f }) || cfg.User == "" && strings.ContainsFunc(string(cfg.Token), space):
		return errors.New("jira token holds a character that no token has: copy it again")
	case cfg.Edition == editionCloud && cfg.User == "":
		return errors.New("jira user is missing: on Jira Cloud a token is used together with its account's e-mail address")
	case strings.Contains(cfg.User, ":") || strings.ContainsFunc(cfg.User, space):
		return errors.New("jira user holds a colon or a space")
	case !projectKey.MatchString(cfg.Project):
		return fmt.Errorf("jira project %q is no key of a project: give its capital letters, such as SEC", cfg.Project)
	case len(cfg.Labels) > maxLabels:
		return fmt.Errorf("jira labels are more than %d", maxLabels)
	case len(cfg.Fields) > maxFields:
		return fmt.Errorf("jira fields are more than %d", maxFields)
	}
	for s := range cfg.Priorities {
		if s.Rank() == 0 {
			return fmt.Errorf("jira priorities: %q is no severity; say low, medium, high or critical", s)
		}
	}
	for _, l := range cfg.Labels {
		if l == "" || len(l) > 255 || strings.ContainsFunc(l, space) || strings.HasPrefix(l, "vigil-") {
			return fmt.Errorf("jira label %q is empty, too long, holds a space or begins with vigil-", l)
		}
	}
	for _, f := range own {
		if _, ok := cfg.Fields[f]; ok {
			return fmt.Errorf("jira fields: %s is set by vigil: remove it", f)
		}
	}
	if _, err := json.Marshal(cfg.Fields); err != nil {
		return errors.New("jira fields can't be written as JSON: give texts, numbers, lists and maps with names")
	}
	return nil
}

// Name is "jira", or the name that was given.
func (n *Notifier) Name() string { return n.name }

// Pace is the least time between two messages.
func (n *Notifier) Pace() time.Duration { return pace }

// Threads says that replies become comments.
func (n *Notifier) Threads() bool { return true }

// Notify brings the issue to where the case is, and returns which it is. Errors are
// *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	switch {
	case m.Reply != nil:
		return n.reply(ctx, m)
	case m.Notice != nil:
		if m.Notice.Severity.Rank() < vigil.SeverityHigh.Rank() {
			return notSent, nil
		}
		return n.fresh(ctx, m)
	case m.Kind != alerts.KindCase && m.Kind != alerts.KindFinding || m.Case == nil && m.Finding == nil:
		return notSent, nil
	}
	was := parseReceipt(m.Receipt)
	if was.key == "" {
		return n.fresh(ctx, m)
	}
	receipt, err := n.change(ctx, m, was)
	if errors.Is(err, errGone) {
		n.log.Info("the issue is gone; it is looked for and created anew", slog.String("issue", was.key))
		return n.fresh(ctx, m)
	}
	return receipt, err
}

// fresh finds or creates the issue of a case whose receipt tells none.
func (n *Notifier) fresh(ctx context.Context, m alerts.Message) (string, error) {
	is, err := n.lookUp(ctx, m)
	switch {
	case err != nil:
		return "", err
	case is.key != "":
		receipt, err := n.change(ctx, m, is)
		if errors.Is(err, errGone) {
			// The search is behind: it finds what is gone.
			err = &alerts.RetryError{Err: errors.New("jira finds an issue that it does not have"), After: settle}
		}
		return receipt, err
	case m.Over():
		return notSent, nil // nobody needs an issue that is done already
	}
	if is.key, err = n.create(ctx, m); err != nil {
		return "", err
	}
	is.severity, is.state = m.Severity(), stateOpen
	receipt, err := n.change(ctx, m, is)
	if err != nil {
		// The issue is there, and its key must not be lost for what comes after: the
		// search may not find it yet. The next revision makes up for it.
		n.log.Warn("the issue was created; what else there is to say waits for the case's next change", slog.String("issue", is.key), slog.String("error", err.Error()))
		return is.String(), nil
	}
	return receipt, nil
}

// lookUp finds the issue of a case, and reads off it what Jira knows. Its key is empty
// when there is none.
func (n *Notifier) lookUp(ctx context.Context, m alerts.Message) (told, error) {
	found, err := n.search(ctx, labelOf(m.Thread()))
	if err != nil || found.Key == "" {
		return told{}, err
	}
	is := told{key: found.Key, state: stateOpen}
	if found.Fields.Status.done() {
		is.state = stateDone
	}
	// One of an earlier revision may be milder: then its severity is told anew.
	if found.Fields.Summary == summary(m, n.cfg.ConsoleURL) {
		is.severity = m.Severity()
	}
	return is, nil
}

// change brings a known issue to where the case is.
func (n *Notifier) change(ctx context.Context, m alerts.Message, was told) (string, error) {
	is := was
	if m.Notice != nil {
		return is.String(), nil // nothing becomes of one
	}
	if m.Over() {
		if was.state == stateDone {
			return was.String(), nil
		}
		is.state = stateDone
		err := n.move(ctx, m, was.key, n.cfg.Done, true, "Resolved in vigil"+wordOf(m)+".")
		return is.String(), err
	}
	if was.state == stateDone {
		is.state = stateOpen
		if n.cfg.Reopen != "" {
			if err := n.move(ctx, m, was.key, n.cfg.Reopen, false, "The case opened anew in vigil."); err != nil {
				return "", err
			}
		}
	}
	if m.Severity().Rank() > was.severity.Rank() {
		is.severity = m.Severity()
		if err := n.edit(ctx, m, was.key); err != nil {
			return "", err
		}
	}
	if taken(m) && is.state == stateOpen {
		is.state = stateTaken
		if err := n.comment(ctx, was.key, "Somebody took the case in vigil.", markOf(m.Thread(), "taken")); err != nil {
			return "", err
		}
	}
	return is.String(), nil
}

// reply comments on the card's issue. Without one there is nothing to comment on.
func (n *Notifier) reply(ctx context.Context, m alerts.Message) (string, error) {
	card := parseReceipt(m.Parent)
	text := plain(m.Reply.Text, maxText)
	if card.key == "" || text == "" || quiet(m.Reply) {
		return notSent, nil
	}
	if m.Reply.By != "" {
		text += " (" + plain(m.Reply.By, maxSummary) + ")"
	}
	err := n.comment(ctx, card.key, text, markOf(m.ID, "reply"))
	if errors.Is(err, errGone) {
		return notSent, nil
	}
	if err != nil {
		return "", err
	}
	return card.String(), nil
}

// quiet reports whether a reply is not worth the e-mail that Jira writes for a comment:
// what the issue tells by itself, and what only calls people elsewhere.
func quiet(r *alerts.Reply) bool {
	switch r.Kind {
	case vigil.CaseOpened, vigil.CaseHeld, vigil.CaseTaken, vigil.CaseEnded, vigil.CaseSnoozed:
		return true
	case vigil.CaseReminded:
		return !r.Loud
	}
	return false
}

// Find returns the receipt of a message that is in Jira already. Jira Cloud finds what
// was just created only after some seconds.
func (n *Notifier) Find(ctx context.Context, m alerts.Message) (string, error) {
	switch {
	case m.Reply != nil:
		card := parseReceipt(m.Parent)
		if card.key == "" {
			return "", nil
		}
		there, err := n.commented(ctx, card.key, markOf(m.ID, "reply"))
		if errors.Is(err, errGone) || err == nil && !there {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return card.String(), nil
	case m.Notice == nil && (m.Kind == alerts.KindDigest || m.Case == nil && m.Finding == nil):
		return "", nil
	}
	is, err := n.lookUp(ctx, m)
	if err != nil || is.key == "" {
		return "", err
	}
	return is.String(), nil
}

// told is what Jira knows of a case, by its receipt.
type told struct {
	key string
	// severity is the gravest that was told, empty where it is not known.
	severity vigil.Severity
	state    string
}

const (
	stateOpen  = "open"
	stateTaken = "taken"
	stateDone  = "done"
	// notSent is the receipt of what is not for Jira.
	notSent = "not-sent"
)

func (t told) String() string {
	s := t.severity
	if s.Rank() == 0 {
		s = "none"
	}
	return t.key + "/" + string(s) + "/" + t.state
}

// parseReceipt reads what an earlier Notify returned; anything else is nothing told.
func parseReceipt(r string) told {
	p := strings.Split(r, "/")
	if len(p) != 3 || !issueKey.MatchString(p[0]) || p[2] != stateOpen && p[2] != stateTaken && p[2] != stateDone {
		return told{}
	}
	return told{p[0], vigil.Severity(p[1]), p[2]}
}

// taken reports whether somebody has the case.
func taken(m alerts.Message) bool { return m.Case != nil && m.Case.State == vigil.CaseAcknowledged }

// wordOf is the verdict, for the end of a sentence.
func wordOf(m alerts.Message) string {
	word := vigil.Word("")
	switch {
	case m.Case != nil:
		word = m.Case.Word
	case m.Finding.Verdict != nil:
		word = m.Finding.Verdict.Word
	}
	if word == "" {
		return ""
	}
	return ", verdict " + plain(string(word), maxSummary)
}
