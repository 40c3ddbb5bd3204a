package intercom

import (
	"errors"
	"net/http"
	"time"

	"vigil/collectors/decode"
	"vigil/collectors/rest"
)

// DefaultURL is the API of workspaces in the United States.
const DefaultURL = "https://api.intercom.io"

// version is the API's version that is asked for.
const version = "2.13"

// Config says what is read.
type Config struct {
	// Decode says how records are read; its format is "intercom" unless it names one.
	Decode decode.Config
	// URL is the API's address in the workspace's region; empty means DefaultURL.
	URL string
	// Token is an access token. Required.
	Token rest.Secret
	// Poll, Overlap and Start are those of rest.PullerConfig.
	Poll, Overlap, Start time.Duration
	// AllowPrivate lets the host's name resolve to inner addresses.
	AllowPrivate bool
}

// Options is what code passes.
type Options struct {
	// Client is what the client takes, its Auth, Header and Remedy aside.
	Client rest.ClientOptions
}

// New makes a collector.
func New(cfg Config, opts Options) (*Intercom, error) {
	if cfg.Token == "" {
		return nil, errors.New("intercom: needs a token")
	}
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	if cfg.Decode.Format == "" {
		cfg.Decode.Format = "intercom"
	}
	o := opts.Client
	o.Auth, o.Remedy = rest.NewStatic("Bearer "+string(cfg.Token)), remedy
	o.Header = http.Header{"Intercom-Version": {version}}
	client, err := rest.NewClient(rest.ClientConfig{Product: "Intercom", URL: cfg.URL, AllowPrivate: cfg.AllowPrivate}, o)
	if err != nil {
		return nil, err
	}
	p, err := rest.NewPuller(rest.PullerConfig{Decode: cfg.Decode, Poll: cfg.Poll, Overlap: cfg.Overlap, Start: cfg.Start},
		rest.PullerOptions{Client: client, Feeds: []rest.Feed{feed()}, Now: o.Now})
	if err != nil {
		return nil, err
	}
	return &Intercom{p}, nil
}
