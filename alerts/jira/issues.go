package jira

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// settle is how long Jira Cloud's search may take to find what was created: a creation
// whose answer was lost is not tried again earlier.
const settle = time.Minute

// errGone says that the issue is not there, or may not be seen any more.
var errGone = errors.New("the issue is gone")

// issue is what is read of one.
type issue struct {
	Key    string `json:"key"`
	Fields struct {
		Summary string `json:"summary"`
		Status  status `json:"status"`
	} `json:"fields"`
}

type status struct {
	Name     string `json:"name"`
	Category struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
}

// done reports whether people are done with an issue of that status, whatever their
// workflow calls it.
func (s status) done() bool { return s.Category.Key == "done" }

// labelOf is the label by which a case's issue is found.
func labelOf(id string) string {
	ok := id != "" && len(id) <= 200 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
	if ok {
		return "vigil-" + id
	}
	sum := sha256.Sum256([]byte(id))
	return "vigil-" + hex.EncodeToString(sum[:16])
}

// markOf is by what a comment is found again: a digest of the message's ID and of what
// the comment is for.
func markOf(id, purpose string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + purpose))
	return "vigil-" + hex.EncodeToString(sum[:8])
}

func (n *Notifier) cloud() bool { return n.cfg.Edition == editionCloud }

// rich is a document in the form that this Jira takes.
func (n *Notifier) rich(d document) any {
	if n.cloud() {
		return d.cloud()
	}
	return d.markup()
}

// call makes a request and reads its answer into out, where out is not nil.
func (n *Notifier) call(ctx context.Context, method, path string, in, out any) (outbound.Answer, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return outbound.Answer{}, &alerts.RefusedError{Err: fmt.Errorf("jira: the request can't be written: %w", err)}
		}
	}
	a, err := n.client.Do(ctx, outbound.Request{Method: method, URL: Secret(n.base + path), Header: n.header, Body: body, Secrets: []Secret{n.cfg.Token}})
	if err != nil {
		return a, err
	}
	if out != nil {
		err = a.JSON(out)
	}
	return a, err
}

// ofIssue turns a 404 about one issue into errGone: the address is right, for others are
// there.
func ofIssue(a outbound.Answer, err error) error {
	if err != nil && (a.Status == http.StatusNotFound || a.Status == http.StatusGone) {
		return errGone
	}
	return err
}

// search finds the first issue with a label, none is an issue without a key.
func (n *Notifier) search(ctx context.Context, label string) (issue, error) {
	path := "/search"
	if n.cloud() {
		path = "/search/jql"
	}
	// Neither holds a quotation mark or a backslash.
	jql := fmt.Sprintf("project = %q AND labels = %q ORDER BY created ASC", n.cfg.Project, label)
	var found struct {
		Issues []issue `json:"issues"`
	}
	a, err := n.call(ctx, http.MethodPost, path, map[string]any{"jql": jql, "maxResults": 1, "fields": []string{"summary", "status"}}, &found)
	if err != nil {
		// It is the same for all cases but for the label: what Jira objects to is the
		// project, or that the account may not see it.
		var refused *alerts.RefusedError
		if a.Status == http.StatusBadRequest && errors.As(err, &refused) {
			err = &alerts.RefusedError{Err: refused.Err, All: true, Remedy: "check jira.project, and that the account may browse it"}
		}
		return issue{}, err
	}
	if len(found.Issues) == 0 {
		return issue{}, nil
	}
	if !issueKey.MatchString(found.Issues[0].Key) {
		return issue{}, &alerts.RetryError{Err: errors.New("jira: the answer names no issue")}
	}
	return found.Issues[0], nil
}

// create makes the issue. Where the project knows no priority, it goes without.
func (n *Notifier) create(ctx context.Context, m alerts.Message) (string, error) {
	fields := map[string]any{}
	maps.Copy(fields, n.cfg.Fields)
	fields["project"] = map[string]string{"key": n.cfg.Project}
	fields["issuetype"] = map[string]string{"name": n.cfg.IssueType}
	fields["summary"] = summary(m, n.cfg.ConsoleURL)
	fields["description"] = n.rich(describe(m, n.cfg.ConsoleURL))
	fields["labels"] = append([]string{"vigil", labelOf(m.Thread())}, n.cfg.Labels...)
	n.prioritise(fields, m)
	var made issue
	a, err := n.withoutPriority(fields, func() (outbound.Answer, error) {
		return n.call(ctx, http.MethodPost, "/issue", map[string]any{"fields": fields}, &made)
	})
	if err == nil && !issueKey.MatchString(made.Key) {
		err = &alerts.RetryError{Err: errors.New("jira: the answer names no issue"), InDoubt: true}
	}
	var retry *alerts.RetryError
	if errors.As(err, &retry) && retry.InDoubt && n.cloud() {
		retry.After = max(retry.After, settle)
	}
	return made.Key, n.badRequest(a, err)
}

// edit changes what lists of issues show of the severity.
func (n *Notifier) edit(ctx context.Context, m alerts.Message, key string) error {
	fields := map[string]any{"summary": summary(m, n.cfg.ConsoleURL)}
	n.prioritise(fields, m)
	a, err := n.withoutPriority(fields, func() (outbound.Answer, error) {
		return n.call(ctx, http.MethodPut, "/issue/"+key, map[string]any{"fields": fields}, nil)
	})
	return n.badRequest(a, ofIssue(a, err))
}

func (n *Notifier) prioritise(fields map[string]any, m alerts.Message) {
	if p := n.cfg.Priorities[m.Severity()]; p != "" {
		fields["priority"] = map[string]string{"name": p}
	}
}

// withoutPriority asks again without the priority where it is all that Jira objects to:
// a project may have none, or other ones.
func (n *Notifier) withoutPriority(fields map[string]any, ask func() (outbound.Answer, error)) (outbound.Answer, error) {
	a, err := ask()
	if said := objections(a); a.Status == http.StatusBadRequest && fields["priority"] != nil && len(said) == 1 && said[0] == "priority" {
		n.log.Warn("jira does not take the priority; the issue goes without: check jira.priorities")
		delete(fields, "priority")
		return ask()
	}
	return a, err
}

// objections are the fields that a 400 complains of, sorted.
func objections(a outbound.Answer) []string {
	var said struct {
		Errors map[string]json.RawMessage `json:"errors"`
	}
	if a.Status != http.StatusBadRequest || json.Unmarshal(a.Body, &said) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(said.Errors))
}

// badRequest says of a 400 which fields it is about: those that every issue has alike
// hold for all messages.
func (n *Notifier) badRequest(a outbound.Answer, err error) error {
	var refused *alerts.RefusedError
	if a.Status != http.StatusBadRequest || !errors.As(err, &refused) {
		return err
	}
	fields := objections(a)
	if len(fields) == 0 || slices.Contains(fields, "summary") || slices.Contains(fields, "description") {
		return &alerts.RefusedError{Err: refused.Err, Remedy: "please report it, with the finding's ID"}
	}
	for i, f := range fields {
		fields[i] = plain(f, 80)
	}
	return &alerts.RefusedError{Err: refused.Err, All: true, Remedy: "Jira objects to " + plain(strings.Join(fields, ", "), maxSummary) +
		": check jira.project, jira.issue_type and jira.fields against what the project asks for"}
}

// comment adds a comment, unless it is there already: its answer may have been lost.
func (n *Notifier) comment(ctx context.Context, key, text, mark string) error {
	if there, err := n.commented(ctx, key, mark); there || err != nil {
		return err
	}
	a, err := n.call(ctx, http.MethodPost, "/issue/"+key+"/comment", map[string]any{"body": n.rich(remark(text, mark))}, nil)
	return ofIssue(a, err)
}

// commented looks for a comment among the latest.
func (n *Notifier) commented(ctx context.Context, key, mark string) (bool, error) {
	a, err := n.call(ctx, http.MethodGet, "/issue/"+key+"/comment?"+url.Values{"orderBy": {"-created"}, "maxResults": {"50"}}.Encode(), nil, nil)
	if err := ofIssue(a, err); err != nil {
		return false, err
	}
	return strings.Contains(string(a.Body), mark), nil
}

// move brings the issue to a status. Where none is configured, or the workflow has no way
// there, a comment says it, and people move it themselves.
func (n *Notifier) move(ctx context.Context, m alerts.Message, key, to string, done bool, text string) error {
	if to != "" {
		moved, err := n.transition(ctx, key, to, done)
		if moved || err != nil {
			return err
		}
		n.log.Warn("the workflow has no way to the status", slog.String("issue", key), slog.String("status", to))
		text += " Its workflow has no way from here to the status " + plain(to, maxSummary) + "."
	}
	return n.comment(ctx, key, text, markOf(m.ID, "moved"))
}

// transition reports whether the issue is in the status now, or where it need not be
// moved from.
func (n *Notifier) transition(ctx context.Context, key, to string, done bool) (bool, error) {
	var is issue
	a, err := n.call(ctx, http.MethodGet, "/issue/"+key+"?fields=status", nil, &is)
	if err := ofIssue(a, err); err != nil {
		return false, err
	}
	if s := is.Fields.Status; strings.EqualFold(s.Name, to) || s.Category.Key != "" && s.done() == done {
		return true, nil
	}
	var ways struct {
		Transitions []struct {
			ID string `json:"id"`
			To status `json:"to"`
		} `json:"transitions"`
	}
	a, err = n.call(ctx, http.MethodGet, "/issue/"+key+"/transitions", nil, &ways)
	if err := ofIssue(a, err); err != nil {
		return false, err
	}
	for _, w := range ways.Transitions {
		if !strings.EqualFold(w.To.Name, to) {
			continue
		}
		a, err = n.call(ctx, http.MethodPost, "/issue/"+key+"/transitions", map[string]any{"transition": map[string]string{"id": w.ID}}, nil)
		if a.Status == http.StatusBadRequest || a.Status == http.StatusConflict {
			return false, nil // its screen asks for more, or somebody moved the issue
		}
		return err == nil, ofIssue(a, err)
	}
	return false, nil
}

// Check asks for the account, the project with its types, and the statuses that are
// configured. It changes nothing. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	if _, err := n.call(ctx, http.MethodGet, "/myself", nil, &struct{}{}); err != nil {
		return err
	}
	var types []struct {
		Name     string   `json:"name"`
		Subtask  bool     `json:"subtask"`
		Statuses []status `json:"statuses"`
	}
	if _, err := n.call(ctx, http.MethodGet, "/project/"+n.cfg.Project+"/statuses", nil, &types); err != nil {
		return err
	}
	var names []string
	for _, t := range types {
		if t.Subtask {
			continue
		}
		if !strings.EqualFold(t.Name, n.cfg.IssueType) {
			names = append(names, t.Name)
			continue
		}
		for _, want := range []struct{ field, name string }{{"done", n.cfg.Done}, {"reopen", n.cfg.Reopen}} {
			has := func(s status) bool { return strings.EqualFold(s.Name, want.name) }
			if want.name != "" && !slices.ContainsFunc(t.Statuses, has) {
				var have []string
				for _, s := range t.Statuses {
					have = append(have, s.Name)
				}
				return n.amiss(fmt.Sprintf("jira: the type %s has no status %q", plain(t.Name, 80), want.name), "set jira."+want.field+" to one of: "+plain(strings.Join(have, ", "), maxSummary))
			}
		}
		return nil
	}
	return n.amiss(fmt.Sprintf("jira: the project %s has no type %q", n.cfg.Project, n.cfg.IssueType), "set jira.issue_type to one of: "+plain(strings.Join(names, ", "), maxSummary))
}

func (n *Notifier) amiss(what, remedy string) error {
	return &alerts.RefusedError{Err: errors.New(what), Remedy: remedy, All: true}
}
