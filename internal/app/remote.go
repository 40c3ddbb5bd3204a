package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigil"
	"vigil/client"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/ledger"
)

// remoteTimeout bounds one question to a running service.
const remoteTimeout = time.Minute

// remote is a service that runs, here or elsewhere, by its HTTP API.
type remote struct {
	*client.Client
	cfg client.Config
}

// OpenServer opens the findings and cases of a vigil on another machine, with an API
// token of its. Close it again.
func OpenServer(address string, token config.Secret) (*Desk, error) {
	r, err := dialServer(address, token)
	if err != nil {
		return nil, err
	}
	return r.desk(), nil
}

// dialServer makes the way to a vigil on another machine.
func dialServer(address string, token config.Secret) (*remote, error) {
	text, err := token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read --token: %w", err)
	}
	return dial(client.Config{URL: address, Token: text, HTTP: &http.Client{Timeout: remoteTimeout}})
}

func dial(cfg client.Config) (*remote, error) {
	c, err := client.New(cfg)
	if err != nil {
		return nil, err
	}
	return &remote{Client: c, cfg: cfg}, nil
}

func (r *remote) desk() *Desk {
	return &Desk{Decider: r, Silencer: r, findings: r, cases: r, staff: remoteStaff{r}, close: r.Close}
}

func remoteDesk(cfg *config.Config, locked *ledger.LockedError) (*Desk, error) {
	r, err := newRemote(cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; it does not say where its console is", locked)
	}
	if err != nil {
		return nil, err
	}
	return r.desk(), nil
}

// newRemote reads where the running service answers, and how commands on this machine
// come in.
func newRemote(cfg *config.Config) (*remote, error) {
	address, err := os.ReadFile(filepath.Join(cfg.DataDir, addressFile))
	if err != nil {
		return nil, fmt.Errorf("read the running vigil's address: %w", err)
	}
	u, err := url.Parse(strings.TrimSpace(string(address)))
	if err != nil {
		return nil, fmt.Errorf("read the running vigil's address: %w", err)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port()) // it listens everywhere, here too
	}
	token, err := os.ReadFile(filepath.Join(cfg.DataDir, tokenFile))
	if err != nil {
		return nil, fmt.Errorf("read the running vigil's token: %w", err)
	}
	return dial(client.Config{
		URL: u.String(), Token: strings.TrimSpace(string(token)), Header: http.Header{identity.ByHeader: {loginName()}},
		HTTP: &http.Client{Timeout: remoteTimeout, Transport: &http.Transport{Proxy: nil}},
		// One that has stopped is to be told at once; it is here, and not beyond a network.
		Retries: 1,
	})
}

// plain is an error of the service in the words of a command on the machine.
func plain(err error, what, id string) error {
	var e *client.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case client.CodeNotFound:
		if what == "" {
			return fmt.Errorf("%s: %w", e.Title, api.ErrNotFound)
		}
		return fmt.Errorf("%s %q: %w", what, id, api.ErrNotFound)
	case client.CodeRefused:
		return fmt.Errorf("%w: %s", api.ErrRefused, clause(e.Detail))
	}
	return fmt.Errorf("the running vigil says: %s; %s", e.Title, e.Detail)
}

// clause is a sentence as it stands behind a colon.
func clause(sentence string) string {
	s := strings.TrimSuffix(sentence, ".")
	first, size := utf8.DecodeRuneInString(s)
	if next, _ := utf8.DecodeRuneInString(s[size:]); size == 0 || unicode.IsUpper(next) {
		return s // nothing, or an abbreviation
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// Findings lists them by the service.
func (r *remote) Findings(ctx context.Context, f api.FindingFilter) (page api.FindingPage, err error) {
	q := client.FindingFilter{Min: f.MinSeverity, State: f.State, Page: min(f.Limit+1, 500)}
	for x, err := range r.Client.Findings(ctx, q) {
		if err != nil {
			return page, plain(err, "", "")
		}
		if len(page.Findings) == f.Limit {
			page.Next = &api.FindingKey{}
			break
		}
		page.Findings = append(page.Findings, x)
	}
	return page, nil
}

// Finding reads one by the service.
func (r *remote) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	f, err := r.Client.Finding(ctx, id)
	return f, plain(err, "finding", id)
}

// Decide has the service record a verdict.
func (r *remote) Decide(ctx context.Context, s api.Saying) (vigil.Verdict, error) {
	v, err := r.Say(ctx, s.Finding, s)
	return v, plain(err, "finding", s.Finding)
}

// Judged lists the findings about which the service was told a verdict.
func (r *remote) Judged(ctx context.Context) ([]vigil.Finding, error) {
	all, err := r.Client.Judged(ctx)
	return all, plain(err, "", "")
}

// Expect has the service make an exception.
func (r *remote) Expect(ctx context.Context, x api.Expecting) (api.Covered, error) {
	c, err := r.Client.Expect(ctx, x.Finding, x)
	return c, plain(err, "finding", x.Finding)
}

// EndException has the service end one.
func (r *remote) EndException(ctx context.Context, id, by string) (vigil.Exception, error) {
	x, err := r.Client.EndException(ctx, id, by)
	return x, plain(err, "exception", id)
}

// Exceptions lists those of the service.
func (r *remote) Exceptions(ctx context.Context) ([]vigil.Exception, error) {
	all, err := r.Client.Exceptions(ctx)
	return all, plain(err, "", "")
}

// Silence has the service make a silence.
func (r *remote) Silence(ctx context.Context, s api.Silencing) (api.Silenced, error) {
	out, err := r.Client.Silence(ctx, s)
	return out, plain(err, "", "")
}

// EndSilence has the service end one.
func (r *remote) EndSilence(ctx context.Context, id, by string) (vigil.Silence, error) {
	s, err := r.Client.EndSilence(ctx, id, by)
	return s, plain(err, "silence", id)
}

// Silences lists those of the service.
func (r *remote) Silences(ctx context.Context) ([]vigil.Silence, error) {
	all, err := r.Client.Silences(ctx)
	return all, plain(err, "", "")
}

// BeginReport has the service begin to make one.
func (r *remote) BeginReport(ctx context.Context, ask api.ReportAsk) (string, error) {
	id, err := r.MakeReport(ctx, ask)
	return id, plain(err, "", "")
}

// Report asks the service for one.
func (r *remote) Report(ctx context.Context, id string) (api.KeptReport, bool, error) {
	k, made, err := r.Client.Report(ctx, id)
	return k, made, plain(err, "report", id)
}

// Reports lists those of the service.
func (r *remote) Reports(ctx context.Context) ([]api.KeptReport, error) {
	all, err := r.Client.Reports(ctx)
	return all, plain(err, "", "")
}

// Cases lists cases of the service, and tells whether there are more.
func (r *remote) Cases(ctx context.Context, f client.CaseFilter, limit int) (out []vigil.Case, more bool, err error) {
	f.Page = min(limit+1, 500)
	for x, err := range r.Client.Cases(ctx, f) {
		if err != nil {
			return nil, false, plain(err, "", "")
		}
		if len(out) == limit {
			return out, true, nil
		}
		out = append(out, x)
	}
	return out, false, nil
}

// Case reads one by the service.
func (r *remote) Case(ctx context.Context, id string) (client.Case, error) {
	c, err := r.Client.Case(ctx, id)
	return c, plain(err, "case", id)
}

// MakePack has the service make the evidence pack of a case.
func (r *remote) MakePack(ctx context.Context, id string, w io.Writer) (string, error) {
	name, err := r.Client.MakePack(ctx, id, w)
	return name, plain(err, "case", id)
}

// Work has the service do something with a case, in somebody's name.
func (r *remote) Work(ctx context.Context, by string, a api.CaseAct) (client.Done, error) {
	c, err := r.as(by)
	if err != nil {
		return client.Done{}, err
	}
	on := client.On{Case: a.Case, Seen: a.Seen}
	var d client.Done
	switch {
	case a.Deed == access.DeedAcknowledge:
		d, err = c.Acknowledge(ctx, on)
	case a.Deed == access.DeedAssign:
		d, err = c.Assign(ctx, on, a.To)
	case a.Deed == access.DeedSnooze:
		d, err = c.Snooze(ctx, on, a.For)
	case a.Deed == access.DeedNote:
		d, err = c.Note(ctx, on, a.Note)
	case a.Deed == access.DeedAware:
		d, err = c.Aware(ctx, on)
	case a.Deed == access.DeedAsk && a.Preview:
		d.Question, err = c.Question(ctx, a.Case)
	case a.Deed == access.DeedAsk:
		d, err = c.Ask(ctx, on)
	case a.TakeBack:
		d, err = c.Reopen(ctx, on, a.Note)
	case a.Deed == access.DeedVerdict:
		d, err = c.Judge(ctx, on, a.Word, a.Note)
	default:
		err = fmt.Errorf("%w: %q is nothing that is done with a case", api.ErrRefused, string(a.Deed))
	}
	return d, plain(err, "case", a.Case)
}

// Colleagues lists those of the service to whom somebody can give a case.
func (r *remote) Colleagues(ctx context.Context, by string) ([]client.Colleague, error) {
	c, err := r.as(by)
	if err != nil {
		return nil, err
	}
	all, err := c.Colleagues(ctx)
	return all, plain(err, "", "")
}

var (
	_ api.Decider  = (*remote)(nil)
	_ api.Silencer = (*remote)(nil)
	_ api.Reporter = (*remote)(nil)
	_ cases        = (*remote)(nil)
)
