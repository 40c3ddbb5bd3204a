package salesforce

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil/collectors/decode"
	"vigil/collectors/rest"
)

// The intervals in which Salesforce writes files.
const (
	Hourly = "hourly"
	Daily  = "daily"
)

// The defaults of Config.
const (
	DefaultPoll    = 5 * time.Minute
	DefaultOverlap = 2 * time.Hour
	DefaultStart   = 24 * time.Hour
)

// apiVersion is the version of the REST API that is asked.
const apiVersion = "v60.0"

// Config says what is read.
type Config struct {
	// Decode says how records are read; its format is "salesforce" unless it names one.
	Decode decode.Config
	// URL is the organisation's own address (My Domain), such as
	// "https://acme.my.salesforce.com". Required.
	URL string
	// ClientID is the app's consumer key. Required.
	ClientID string
	// ClientSecret is its secret, for the client credentials flow.
	ClientSecret rest.Secret
	// PrivateKey (PEM) and Username are for the JWT bearer flow, in place of a secret.
	PrivateKey rest.Secret
	Username   string
	// Audience is whom an assertion is for; empty means https://login.salesforce.com, and
	// https://test.salesforce.com for a sandbox.
	Audience string
	// Interval is Hourly or Daily; empty means hourly.
	Interval string
	// Events are the types of event whose files are read; empty means all.
	Events []string
	// Poll is how often new files are looked for; zero means five minutes.
	Poll time.Duration
	// Overlap is how far back before the latest file's creation they are looked for; zero
	// means two hours.
	Overlap time.Duration
	// Start is how far back the first reading goes; zero means a day.
	Start time.Duration
	// AllowPrivate lets the host's name resolve to inner addresses.
	AllowPrivate bool
}

// Options is what code passes.
type Options struct {
	// Client is what the client takes, its Auth and Remedy aside.
	Client rest.ClientOptions
}

// maxEvents bounds Config.Events.
const maxEvents = 100

// eventType is what a type of event looks like.
var eventType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)

// New makes a collector.
func New(cfg Config, opts Options) (*Salesforce, error) {
	auth, err := authOf(&cfg)
	if err != nil {
		return nil, fmt.Errorf("salesforce: %w", err)
	}
	switch cfg.Interval {
	case "":
		cfg.Interval = Hourly
	case Hourly, Daily:
	default:
		return nil, fmt.Errorf("salesforce: interval %q is neither %s nor %s", cfg.Interval, Hourly, Daily)
	}
	if len(cfg.Events) > maxEvents {
		return nil, fmt.Errorf("salesforce: %d events are named, at most %d are", len(cfg.Events), maxEvents)
	}
	for _, e := range cfg.Events {
		if !eventType.MatchString(e) {
			return nil, fmt.Errorf("salesforce: %q is no type of event", e)
		}
	}
	if cfg.Poll < 0 || cfg.Overlap < 0 || cfg.Start < 0 {
		return nil, errors.New("salesforce: poll, overlap and start can't be negative")
	}
	for _, d := range []struct {
		of       *time.Duration
		standard time.Duration
	}{{&cfg.Poll, DefaultPoll}, {&cfg.Overlap, DefaultOverlap}, {&cfg.Start, DefaultStart}} {
		if *d.of == 0 {
			*d.of = d.standard
		}
	}
	if cfg.Decode.Format == "" {
		cfg.Decode.Format = "salesforce"
	}
	if err := cfg.Decode.Check(); err != nil {
		return nil, fmt.Errorf("salesforce: %w", err)
	}
	o := opts.Client
	o.Auth, o.Remedy = auth, remedy
	if o.Now == nil {
		o.Now = time.Now
	}
	client, err := rest.NewClient(rest.ClientConfig{Product: "Salesforce", URL: cfg.URL, AllowPrivate: cfg.AllowPrivate}, o)
	if err != nil {
		return nil, err
	}
	return &Salesforce{cfg: cfg, client: client, now: o.Now}, nil
}

const (
	tokenPath = "/services/oauth2/token" //nolint:gosec // a path, no secret
	formKind  = "application/x-www-form-urlencoded"
	// assertionLasts is how long an assertion is good; Salesforce takes a few minutes.
	assertionLasts = 3 * time.Minute
)

// authOf is how Salesforce is shown who asks.
func authOf(cfg *Config) (rest.Auth, error) {
	if cfg.ClientID == "" {
		return nil, errors.New("needs client_id, the app's consumer key")
	}
	// The API is where the token says, which must be where the token was got.
	check := func(c *rest.Client, answer gjson.Result) error {
		if at := answer.Get("instance_url").Str; at != "" {
			if _, err := c.Resolve(at); err != nil {
				return fmt.Errorf("take instance_url: %w", err)
			}
		}
		return nil
	}
	id := cfg.ClientID
	switch {
	case cfg.ClientSecret != "" && cfg.PrivateKey != "":
		return nil, errors.New("has both a client_secret and a private_key; keep one")
	case cfg.ClientSecret != "":
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {string(cfg.ClientSecret)}}
		return &rest.Tokens{Check: check, Ask: func(time.Time) (rest.TokenRequest, error) {
			return rest.TokenRequest{Path: tokenPath, Kind: formKind, Body: []byte(form.Encode())}, nil
		}}, nil
	case cfg.PrivateKey == "" || cfg.Username == "":
		return nil, errors.New("needs client_secret, or private_key and username")
	}
	key, err := rest.ParseKey([]byte(cfg.PrivateKey), "")
	if err != nil {
		return nil, fmt.Errorf("private_key %w", err)
	}
	audience, user := cfg.Audience, cfg.Username
	if audience == "" {
		audience = "https://login.salesforce.com"
		if strings.Contains(cfg.URL, ".sandbox.") {
			audience = "https://test.salesforce.com"
		}
	}
	return &rest.Tokens{Check: check, Ask: func(now time.Time) (rest.TokenRequest, error) {
		assertion, err := key.Assertion(map[string]any{"iss": id, "sub": user, "aud": audience, "exp": now.Add(assertionLasts).Unix()})
		if err != nil {
			return rest.TokenRequest{}, err
		}
		form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
		return rest.TokenRequest{Path: tokenPath, Kind: formKind, Body: []byte(form.Encode())}, nil
	}}, nil
}
