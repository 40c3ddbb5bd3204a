package okta

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"vigil/collectors/decode"
	"vigil/collectors/rest"
)

// Config says what is read.
type Config struct {
	// Decode says how records are read; its format is "okta" unless it names one.
	Decode decode.Config
	// URL is the organisation's address, such as "https://acme.okta.com". Required.
	URL string
	// Token is an API token, in place of a client.
	Token rest.Secret
	// ClientID, PrivateKey (PEM) and KeyID are those of a service app. KeyID may be empty
	// where it has one key.
	ClientID   string
	PrivateKey rest.Secret
	KeyID      string
	// Poll, Overlap and Start are those of rest.PullerConfig. Overlap counts where the
	// cursor was lost.
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
func New(cfg Config, opts Options) (*Okta, error) {
	auth, err := authOf(&cfg)
	if err != nil {
		return nil, fmt.Errorf("okta: %w", err)
	}
	if cfg.Decode.Format == "" {
		cfg.Decode.Format = "okta"
	}
	o := opts.Client
	o.Auth, o.Remedy = auth, remedy
	client, err := rest.NewClient(rest.ClientConfig{Product: "Okta", URL: cfg.URL, AllowPrivate: cfg.AllowPrivate}, o)
	if err != nil {
		return nil, err
	}
	p, err := rest.NewPuller(rest.PullerConfig{Decode: cfg.Decode, Poll: cfg.Poll, Overlap: cfg.Overlap, Start: cfg.Start},
		rest.PullerOptions{Client: client, Feeds: []rest.Feed{feed()}, Now: o.Now})
	if err != nil {
		return nil, err
	}
	return &Okta{p}, nil
}

// assertionLasts is how long an assertion is good; Okta takes up to an hour.
const assertionLasts = 5 * time.Minute

// authOf is how Okta is shown who asks.
func authOf(cfg *Config) (rest.Auth, error) {
	switch {
	case cfg.Token != "" && cfg.ClientID != "":
		return nil, errors.New("has both a token and a client_id; keep one")
	case cfg.Token != "":
		return rest.NewStatic("SSWS " + string(cfg.Token)), nil
	case cfg.ClientID == "" || cfg.PrivateKey == "":
		return nil, errors.New("needs client_id and private_key, or a token")
	}
	key, err := rest.ParseKey([]byte(cfg.PrivateKey), cfg.KeyID)
	if err != nil {
		return nil, fmt.Errorf("private_key %w", err)
	}
	id, audience := cfg.ClientID, strings.TrimSuffix(cfg.URL, "/")+tokenPath
	return &rest.Tokens{Ask: func(now time.Time) (rest.TokenRequest, error) {
		assertion, err := key.Assertion(map[string]any{
			"iss": id, "sub": id, "aud": audience, "iat": now.Unix(), "exp": now.Add(assertionLasts).Unix(), "jti": rest.NewID(),
		})
		if err != nil {
			return rest.TokenRequest{}, err
		}
		form := url.Values{
			"grant_type": {"client_credentials"}, "scope": {scope},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		}
		return rest.TokenRequest{Path: tokenPath, Kind: "application/x-www-form-urlencoded", Body: []byte(form.Encode())}, nil
	}}, nil
}
