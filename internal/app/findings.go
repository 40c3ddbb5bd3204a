package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// Desk is the findings of one vigil and what is said of them: through the service
// when it runs, else in its data folder itself.
type Desk struct {
	api.Decider
	api.Silencer
	findings
	close func() error
}

// findings is where findings are listed.
type findings interface {
	Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error)
	Finding(ctx context.Context, id string) (vigil.Finding, error)
}

// addressFile is where the running service writes its console's address.
const addressFile = "console.url"

// OpenDesk opens the findings of the vigil with this configuration. Close it again.
func OpenDesk(ctx context.Context, cfg *config.Config) (*Desk, error) {
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "ledger.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no findings: no vigil has run with this configuration yet", cfg.DataDir)
	}
	l, err := ledger.Open(ctx, ledgerConfig(cfg), ledger.Options{})
	var locked *ledger.LockedError
	if errors.As(err, &locked) {
		return remoteDesk(cfg, locked)
	}
	if err != nil {
		return nil, err
	}
	d, err := localDesk(ctx, l, cfg)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return d, nil
}

// Close lets go of the data folder.
func (d *Desk) Close() error { return d.close() }

func localDesk(ctx context.Context, l *ledger.Ledger, cfg *config.Config) (*Desk, error) {
	key, err := serviceKey(cfg.PseudonymKey, cfg.DataDir, false)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("the pseudonym key of %s is missing, so nobody can be named who says it", cfg.DataDir)
	}
	pseudonyms, err := privacy.New(key, privacy.Options{CacheSize: 64})
	if err != nil {
		return nil, err
	}
	users := newPeople(cfg, pseudonyms)
	// What is to be told of a verdict waits in the outbox for the service.
	book := newCasebook(l, newOutbox(l), time.Now)
	d := &desk{
		ledger: l, pseudonyms: pseudonyms, triage: newTriager(l, cfg.DataDir, slog.New(slog.DiscardHandler)), now: time.Now,
		people: func() *people { return users }, book: book,
	}
	names := cfg.ChannelNames()
	if len(names) == 0 {
		names = []string{printerName}
	}
	for _, n := range names {
		book.outbox.channels = append(book.outbox.channels, channelNote{name: n, threads: n == slackName})
	}
	if err := book.use(ctx, policyOf(&cfg.Alerts), names); err != nil {
		return nil, err
	}
	return &Desk{Decider: d, Silencer: d, findings: &folder{d}, close: l.Close}, nil
}

// folder lists the findings of a data folder that no service has open. Each look is
// recorded, as the console's are.
type folder struct{ *desk }

const commandLine = "command line"

// Findings lists them from the data folder.
func (f *folder) Findings(ctx context.Context, q api.FindingFilter) (api.FindingPage, error) {
	if err := f.audit(ctx, commandLine, "findings listed", ""); err != nil {
		return api.FindingPage{}, err
	}
	return f.list(ctx, q)
}

// Finding reads one from the data folder.
func (f *folder) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	found, err := f.one(ctx, id)
	if err != nil {
		return vigil.Finding{}, err
	}
	return found, f.audit(ctx, commandLine, "finding read", id)
}

// publishAddress writes down where the console is, for commands that find the folder
// in use.
func (a *App) publishAddress() error {
	if err := writeToken(a.conf().DataDir, a.localToken); err != nil {
		return err
	}
	path := filepath.Join(a.conf().DataDir, addressFile)
	if err := os.WriteFile(path, []byte(a.url+"\n"), 0o600); err != nil {
		return fmt.Errorf("write console's address: %w", err)
	}
	a.clean.add("console's address", func(context.Context) error {
		for _, path := range []string{path, filepath.Join(a.conf().DataDir, tokenFile)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	return nil
}

// remote speaks with the running service.
type remote struct {
	base   string
	client *http.Client
	// token is with which commands on this machine come, by who runs the command.
	token, by string
}

// remoteTimeout bounds one call; maxAnswer what is read of its answer.
const (
	remoteTimeout = time.Minute
	maxAnswer     = 256 << 20
)

func remoteDesk(cfg *config.Config, locked *ledger.LockedError) (*Desk, error) {
	r, err := newRemote(cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; it does not say where its console is", locked)
	}
	if err != nil {
		return nil, err
	}
	return &Desk{Decider: r, Silencer: r, findings: r, close: func() error { r.client.CloseIdleConnections(); return nil }}, nil
}

// newRemote reads where the running service answers.
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
	return &remote{base: u.String(), token: strings.TrimSpace(string(token)), by: loginName(), client: &http.Client{Timeout: remoteTimeout, Transport: &http.Transport{Proxy: nil}}}, nil
}

func (r *remote) call(ctx context.Context, method, path string, body, into any) error {
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, in)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set(identity.ByHeader, r.by)
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the running vigil: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the running vigil: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, into); err != nil {
			return fmt.Errorf("read the running vigil's answer: %w", err)
		}
		return nil
	}
	var said api.Problem
	if json.Unmarshal(answer, &said) != nil || said.Headline == "" {
		return fmt.Errorf("the running vigil answers %s", resp.Status)
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w", said.Headline, api.ErrNotFound)
	case http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %s", api.ErrRefused, strings.TrimPrefix(said.Remedy, api.ErrRefused.Error()+": "))
	}
	return fmt.Errorf("the running vigil says: %s; %s", said.Headline, said.Remedy)
}

// Findings lists them by the service.
func (r *remote) Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error) {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	if f.MinSeverity != "" {
		q.Set("min", string(f.MinSeverity))
	}
	if f.State != "" {
		q.Set("state", string(f.State))
	}
	var out struct {
		Total    int             `json:"total"`
		Findings []vigil.Finding `json:"findings"`
	}
	err := r.call(ctx, http.MethodGet, "/api/v1/findings?"+q.Encode(), nil, &out)
	return api.FindingPage{Findings: out.Findings, Total: out.Total}, err
}

// Finding reads one by the service.
func (r *remote) Finding(ctx context.Context, id string) (f vigil.Finding, err error) {
	err = r.call(ctx, http.MethodGet, "/api/v1/findings/"+url.PathEscape(id), nil, &f)
	return f, about(err, "finding", id)
}

// Decide has the service record a verdict.
func (r *remote) Decide(ctx context.Context, s api.Saying) (v vigil.Verdict, err error) {
	method, body := http.MethodPut, any(s)
	if s.Word == "" {
		method, body = http.MethodDelete, map[string]string{"by": s.By, "note": s.Note}
	}
	err = r.call(ctx, method, "/api/v1/findings/"+url.PathEscape(s.Finding)+"/verdict", body, &v)
	return v, about(err, "finding", s.Finding)
}

// Expect has the service make an exception.
func (r *remote) Expect(ctx context.Context, x api.Expecting) (c api.Covered, err error) {
	err = r.call(ctx, http.MethodPost, "/api/v1/findings/"+url.PathEscape(x.Finding)+"/exception", x, &c)
	return c, about(err, "finding", x.Finding)
}

// EndException has the service end one.
func (r *remote) EndException(ctx context.Context, id, by string) (x vigil.Exception, err error) {
	err = r.call(ctx, http.MethodDelete, "/api/v1/exceptions/"+url.PathEscape(id), map[string]string{"by": by}, &x)
	return x, about(err, "exception", id)
}

// Exceptions lists those of the service.
func (r *remote) Exceptions(ctx context.Context) ([]vigil.Exception, error) {
	var out struct{ Exceptions []vigil.Exception }
	err := r.call(ctx, http.MethodGet, "/api/v1/exceptions", nil, &out)
	return out.Exceptions, err
}

// Silence has the service make a silence.
func (r *remote) Silence(ctx context.Context, s api.Silencing) (out api.Silenced, err error) {
	err = r.call(ctx, http.MethodPost, "/api/v1/silences", s, &out)
	return out, err
}

// EndSilence has the service end one.
func (r *remote) EndSilence(ctx context.Context, id, by string) (s vigil.Silence, err error) {
	err = r.call(ctx, http.MethodDelete, "/api/v1/silences/"+url.PathEscape(id), map[string]string{"by": by}, &s)
	return s, about(err, "silence", id)
}

// Silences lists those of the service.
func (r *remote) Silences(ctx context.Context) ([]vigil.Silence, error) {
	var out struct{ Silences []vigil.Silence }
	err := r.call(ctx, http.MethodGet, "/api/v1/silences", nil, &out)
	return out.Silences, err
}

// Judged lists the findings about which the service was told a verdict.
func (r *remote) Judged(ctx context.Context) ([]vigil.Finding, error) {
	var out struct{ Findings []vigil.Finding }
	err := r.call(ctx, http.MethodGet, "/api/v1/verdicts", nil, &out)
	return out.Findings, err
}

// about names what was not found, as the ledger itself does.
func about(err error, what, id string) error {
	if errors.Is(err, api.ErrNotFound) {
		return fmt.Errorf("%s %q: %w", what, id, api.ErrNotFound)
	}
	return err
}

var (
	_ api.Decider  = (*remote)(nil)
	_ api.Silencer = (*remote)(nil)
)

// loginName is who runs this command; empty where the system can't tell.
func loginName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
