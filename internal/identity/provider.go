package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"vigil/internal/access"
	"vigil/internal/api"
)

// ProviderConfig is what a sign-in provider (OpenID Connect) is used with.
type ProviderConfig struct {
	// Name is what people know it by.
	Name string
	// Issuer is its address, exactly as it names itself.
	Issuer, ClientID, ClientSecret string
	// RedirectURL is where it leads people back to.
	RedirectURL string
	// Scopes are asked for besides openid.
	Scopes []string
	// Claim names the claim with a person's groups, Groups gives the roles of each. Empty
	// lets in only those whom the configuration names.
	Claim  string
	Groups map[string][]access.Role
	// Client makes the requests; nil means one that gives up after providerWait.
	Client *http.Client
}

// providerWait bounds each request to a provider.
const providerWait = 10 * time.Second

// Provider is with whom people sign in besides. It is asked for what it is like at the
// first sign-in, so that vigil starts while it is away; passwords work meanwhile. It is safe
// for concurrent use.
type Provider struct {
	cfg ProviderConfig

	mu    sync.Mutex
	found *oidc.Provider // guarded by mu: nil until it has answered once
}

// NewProvider makes one; nothing is asked yet.
func NewProvider(cfg ProviderConfig) *Provider {
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: providerWait}
	}
	return &Provider{cfg: cfg}
}

// Name is what people know the provider by.
func (p *Provider) Name() string { return p.cfg.Name }

var (
	errAway    = api.NewProblem(http.StatusServiceUnavailable, "The sign-in provider does not answer", "Try again in a minute. Meanwhile a password of vigil's own works, for who has one.").With(api.CodeUnavailable)
	errReturn  = api.NewProblem(http.StatusUnauthorized, "This sign-in can't be taken", "It is not the one that was begun in this browser, or it took longer than ten minutes. Begin again.")
	errClaims  = api.NewProblem(http.StatusUnauthorized, "What the sign-in provider says can't be believed", "Begin again. If it stays so, whoever runs vigil finds why in the program's own log.")
	errUnknown = api.NewProblem(http.StatusForbidden, "vigil does not know you",
		"You signed in, but nobody has given you a role here. Ask whoever runs vigil to name you, with your mail address, under users.")
	errOther = api.NewProblem(http.StatusForbidden, "That is somebody else", "You prove once more who you are: sign in as the same person.")
)

// ask returns the provider as it described itself, and the settings of the flow.
func (p *Provider) ask(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		limited, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.cfg.Client), providerWait)
		defer cancel()
		found, err := oidc.NewProvider(limited, p.cfg.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("ask provider: %w", err)
		}
		p.found = found
	}
	return p.found, &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: p.found.Endpoint(), RedirectURL: p.cfg.RedirectURL,
		Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}, nil
}

// underWay is a sign-in that was begun. It is kept, sealed, in the browser that began it.
type underWay struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"`
	Again    string    `json:"again,omitempty"` // who proves it once more
	Begun    time.Time `json:"begun"`
}

// underWayFor is how long somebody may take to sign in at the provider.
const underWayFor = 10 * time.Minute

// address is where a browser is sent to sign in.
func (p *Provider) address(ctx context.Context, u underWay) (string, error) {
	_, flow, err := p.ask(ctx)
	if err != nil {
		return "", err
	}
	opts := []oauth2.AuthCodeOption{oidc.Nonce(u.Nonce), oauth2.S256ChallengeOption(u.Verifier)}
	if u.Again != "" {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return flow.AuthCodeURL(u.State, opts...), nil
}

// claims are what a provider says of who signed in.
type claims struct {
	issuer, subject string
	name            string
	email           string // empty unless it is verified
	groups          []string
	at              time.Time // when they last typed something; zero where it does not say
}

// signings are the signatures that are taken: by a key that only the provider has. "none"
// is no signature, and HS256 is one by whoever knows the client's secret.
func signings() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// claimed redeems a code and checks what comes for it: the signature, issuer, audience, end
// and nonce (OpenID Connect Core 1.0, section 3.1.3.7).
func (p *Provider) claimed(ctx context.Context, code string, u underWay, now func() time.Time) (out claims, err error) {
	found, flow, err := p.ask(ctx)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.cfg.Client), providerWait)
	defer cancel()
	tokens, err := flow.Exchange(ctx, code, oauth2.VerifierOption(u.Verifier))
	if err != nil {
		return out, errors.Join(errReturn, fmt.Errorf("redeem code: %w", redacted(err)))
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: signings(), Now: now}).Verify(ctx, raw)
	if err != nil {
		return out, errors.Join(errClaims, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(u.Nonce)) != 1 {
		return out, errors.Join(errClaims, errors.New("the nonce is another one"))
	}
	var said struct {
		AuthorizedParty string `json:"azp"`
		At              int64  `json:"auth_time"`
	}
	all := map[string]any{}
	if err := errors.Join(id.Claims(&said), id.Claims(&all)); err != nil {
		return out, errors.Join(errClaims, err)
	}
	if len(id.Audience) > 1 && said.AuthorizedParty != p.cfg.ClientID {
		return out, errors.Join(errClaims, errors.New("the token is for another client"))
	}
	if id.Subject == "" {
		return out, errors.Join(errClaims, errors.New("it does not say who signed in")) // all of these would be one person
	}
	out = claims{issuer: id.Issuer, subject: id.Subject}
	if said.At > 0 {
		out.at = time.Unix(said.At, 0)
	}
	if err := p.more(ctx, found, flow.TokenSource(ctx, tokens), id.Subject, all); err != nil {
		return out, err
	}
	out.fill(all, p.cfg.Claim)
	return out, nil
}

// more adds what a provider tells of a person only where it is asked for it (OpenID
// Connect Core 1.0, section 5.3): many keep the address or the groups out of the signed
// token. What that says stands.
func (p *Provider) more(ctx context.Context, found *oidc.Provider, tokens oauth2.TokenSource, subject string, all map[string]any) error {
	grouped := len(p.cfg.Groups) == 0 || all[p.cfg.Claim] != nil
	if all["email"] != nil && grouped || found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, tokens)
	if err != nil && all["email"] != nil {
		return nil // whom the configuration names is let in without their groups
	}
	if err != nil {
		return errors.New("the provider does not tell more of who signed in")
	}
	if info.Subject != subject {
		return errors.Join(errClaims, errors.New("what the provider tells more is of somebody else"))
	}
	told := map[string]any{}
	if err := info.Claims(&told); err != nil {
		return errors.Join(errClaims, err)
	}
	if all["email"] == nil {
		delete(all, "email_verified") // it is said of the address beside it, and of no other
	}
	for name, value := range told {
		if _, ok := all[name]; !ok {
			all[name] = value
		}
	}
	return nil
}

// fill takes in what is told of a person; their groups are the claim of that name.
func (c *claims) fill(all map[string]any, claim string) {
	c.name, _ = all["preferred_username"].(string)
	if v := all["email_verified"]; v == true || v == "true" {
		c.email, _ = all["email"].(string)
	}
	switch g := all[claim].(type) {
	case string:
		c.groups = []string{g}
	case []any:
		for _, one := range g {
			if text, ok := one.(string); ok {
				c.groups = append(c.groups, text)
			}
		}
	}
}

// redacted drops from an error what a provider answered: it may quote the code.
func redacted(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		return fmt.Errorf("the provider refuses it: %q", answer.ErrorCode)
	}
	return errors.New("the provider does not answer as it should")
}

// rolesOf are those that groups give, sorted.
func (p *Provider) rolesOf(groups []string) (out []access.Role) {
	for _, g := range groups {
		out = append(out, p.cfg.Groups[g]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
