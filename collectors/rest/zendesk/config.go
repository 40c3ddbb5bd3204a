package zendesk

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil/collectors/decode"
	"vigil/collectors/rest"
)

// The logs that are read.
const (
	// Access is who looked at what.
	Access = "access"
	// Audit is what was changed or exported, and who signed in.
	Audit = "audit"
)

// Config says what is read.
type Config struct {
	// Decode says how records are read; its format is "zendesk" unless it names one.
	Decode decode.Config
	// URL is the account's address, such as "https://acme.zendesk.com". Required.
	URL string
	// ClientID and ClientSecret are those of an OAuth client, with which tokens are got.
	ClientID     string
	ClientSecret rest.Secret
	// Scope is what such tokens are for; empty means "read".
	Scope string
	// Token is an OAuth access token, or with Email an API token, in place of a client.
	Token rest.Secret
	// Email is the administrator's to whom an API token belongs.
	Email string
	// Logs are which logs are read; empty means both.
	Logs []string
	// Poll, Overlap and Start are those of rest.PullerConfig.
	Poll, Overlap, Start time.Duration
	// AllowPrivate lets the host's name resolve to inner addresses.
	AllowPrivate bool
}

// Options is what code passes.
type Options struct {
	// Client is what the client takes, its Auth and Remedy aside.
	Client rest.ClientOptions
}

// New makes a collector.
func New(cfg Config, opts Options) (*Zendesk, error) {
	auth, err := authOf(&cfg)
	if err != nil {
		return nil, fmt.Errorf("zendesk: %w", err)
	}
	if cfg.Decode.Format == "" {
		cfg.Decode.Format = "zendesk"
	}
	if len(cfg.Logs) == 0 {
		cfg.Logs = []string{Access, Audit}
	}
	var feeds []rest.Feed
	for _, name := range []string{Access, Audit} {
		if slices.Contains(cfg.Logs, name) {
			feeds = append(feeds, feed(name))
		}
	}
	if len(feeds) != len(cfg.Logs) {
		return nil, fmt.Errorf("zendesk: logs %q: there are %s and %s, each once", cfg.Logs, Access, Audit)
	}
	o := opts.Client
	o.Auth, o.Remedy = auth, remedy
	client, err := rest.NewClient(rest.ClientConfig{Product: "Zendesk", URL: cfg.URL, AllowPrivate: cfg.AllowPrivate}, o)
	if err != nil {
		return nil, err
	}
	p, err := rest.NewPuller(rest.PullerConfig{Decode: cfg.Decode, Poll: cfg.Poll, Overlap: cfg.Overlap, Start: cfg.Start},
		rest.PullerOptions{Client: client, Feeds: feeds, Now: o.Now})
	if err != nil {
		return nil, err
	}
	return &Zendesk{p}, nil
}

// authOf is how Zendesk is shown who asks.
func authOf(cfg *Config) (rest.Auth, error) {
	switch {
	case cfg.Token != "" && cfg.ClientID != "":
		return nil, errors.New("has both a token and a client_id; keep one")
	case cfg.Token != "" && cfg.Email != "":
		pair := cfg.Email + "/token:" + string(cfg.Token)
		return rest.NewStatic("Basic " + base64.StdEncoding.EncodeToString([]byte(pair))), nil
	case cfg.Token != "":
		return rest.NewStatic("Bearer " + string(cfg.Token)), nil
	case cfg.ClientID == "" || cfg.ClientSecret == "":
		return nil, errors.New("needs client_id and client_secret, or a token")
	}
	scope := cfg.Scope
	if scope == "" {
		scope = "read"
	}
	body, err := json.Marshal(map[string]string{
		"grant_type": "client_credentials", "client_id": cfg.ClientID, "client_secret": string(cfg.ClientSecret), "scope": scope,
	})
	if err != nil {
		return nil, fmt.Errorf("write the request for a token: %w", err)
	}
	return &rest.Tokens{Ask: func(time.Time) (rest.TokenRequest, error) {
		return rest.TokenRequest{Path: "/oauth/tokens", Kind: "application/json", Body: body}, nil
	}}, nil
}
