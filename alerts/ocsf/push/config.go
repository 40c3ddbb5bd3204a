// Package push posts findings and cases as OCSF events to a SIEM's HTTP endpoint: as JSON,
// or in the envelope of Splunk's HTTP Event Collector.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently, and then events may overtake each other. One request holds one event. It
// counts as taken when it was answered with 2xx, and by a Splunk that is to acknowledge,
// when it says that the event is indexed. What fails is a *alerts.RetryError, also where
// the endpoint refuses everything, such as by a bad token: an event is not given up for
// that. Redirects are not followed, and addresses in one's own network have to be allowed.
package push

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/ocsf"
)

// Secret prints as "[redacted]" wherever it is formatted.
type Secret = ocsf.Secret

// Format is what a request's body looks like.
type Format string

// The formats.
const (
	// JSON is the event by itself.
	JSON Format = "json"
	// NDJSON is the event on a line.
	NDJSON Format = "ndjson"
	// Array is a JSON array of the event.
	Array Format = "array"
	// Splunk is the envelope of Splunk's HTTP Event Collector.
	Splunk Format = "splunk"
)

// Formats lists them.
func Formats() []Format { return []Format{JSON, NDJSON, Array, Splunk} }

// DefaultSourceType is by what Splunk is told that events are OCSF.
const DefaultSourceType = "vigil:ocsf"

// Config is what a user writes.
type Config struct {
	// URL is the endpoint, such as https://splunk.example.org:8088/services/collector/event.
	// Required.
	URL Secret `yaml:"url"`
	// Format is "json", "ndjson", "array" or "splunk"; empty means json.
	Format Format `yaml:"format"`
	// Token signs in; empty does not. It goes as "Authorization: Bearer TOKEN", to Splunk
	// as "Authorization: Splunk TOKEN", and alone where TokenHeader names another header.
	Token       Secret `yaml:"token"`
	TokenHeader string `yaml:"token_header"`
	// Headers are sent besides.
	Headers map[string]Secret `yaml:"headers"`
	// Gzip packs the body.
	Gzip bool `yaml:"gzip"`
	// Index, Source, SourceType and Host are Splunk's: empty means the token's own index,
	// "vigil", "vigil:ocsf" and none.
	Index      string `yaml:"index"`
	Source     string `yaml:"source"`
	SourceType string `yaml:"sourcetype"`
	Host       string `yaml:"host"`
	// Acknowledge waits until Splunk says that the event is indexed. The token must be made
	// with indexer acknowledgement.
	Acknowledge bool `yaml:"acknowledge"`
	// AllowPrivate lets the endpoint be on this machine or in a private network, and be
	// spoken to by plain http.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile holds PEM certificates of authorities that are trusted besides the system's.
	CAFile string `yaml:"ca_file"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds one request with its answer; zero means 10 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// Options is what code passes.
type Options struct {
	// Name tells several notifiers of this kind apart; empty means "siem-http".
	Name string
	// Console and Version are as in ocsf.Options.
	Console, Version string
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Notifier posts to one endpoint. It implements alerts.Notifier.
type Notifier struct {
	cfg    Config
	opts   Options
	enc    *ocsf.Encoder
	http   *outbound.Client
	header http.Header
	// ackURL is where Splunk is asked whether it has indexed, channel by what it knows us,
	// poll how often it is asked.
	ackURL, channel string
	poll            time.Duration

	mu sync.Mutex // guards waiting
	// waiting are the events that Splunk took and has not said to be indexed, by their uid.
	waiting map[string]ack
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier. It reads CAFile and touches no network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.Format == "" {
		cfg.Format = JSON
	}
	if cfg.Source == "" {
		cfg.Source = "vigil"
	}
	if cfg.SourceType == "" {
		cfg.SourceType = DefaultSourceType
	}
	if opts.Name == "" {
		opts.Name = "siem-http"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	n := &Notifier{cfg: cfg, opts: opts, header: http.Header{}, poll: time.Second, waiting: map[string]ack{}}
	var err error
	if n.http, err = outbound.New(outbound.Config{Channel: "siem http", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile}); err != nil {
		return nil, err
	}
	if err := n.http.CheckURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("siem http: url: %w", err)
	}
	switch {
	case !slices.Contains(Formats(), cfg.Format):
		return nil, fmt.Errorf("siem http: format %q is none of json, ndjson, array, splunk", cfg.Format)
	case cfg.Format == Splunk && cfg.Token == "":
		return nil, errors.New("siem http: Splunk wants a token: make one under Settings, Data inputs, HTTP Event Collector")
	case cfg.Acknowledge && cfg.Format != Splunk:
		return nil, fmt.Errorf("siem http: acknowledge is for the format splunk, not for %s", cfg.Format)
	}
	if err := n.headers(); err != nil {
		return nil, err
	}
	if cfg.Acknowledge {
		if err := n.acknowledged(); err != nil {
			return nil, err
		}
	}
	if n.enc, err = ocsf.New(ocsf.Options{Console: opts.Console, Version: opts.Version, MaxBytes: cfg.MaxBytes, Now: opts.Now}); err != nil {
		return nil, fmt.Errorf("siem http: max_bytes: %w", err)
	}
	return n, nil
}

// headers makes what each request has.
func (n *Notifier) headers() error {
	set := func(name string, value Secret) error {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }) {
			return fmt.Errorf("siem http: %q is no name of a header", name)
		}
		if strings.ContainsFunc(string(value), func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("siem http: the value of the header %s holds a line break or a character that no header has: copy it again", name)
		}
		n.header.Set(name, string(value))
		return nil
	}
	for name, value := range n.cfg.Headers {
		if err := set(name, value); err != nil {
			return err
		}
	}
	n.header.Set("Content-Type", map[Format]string{NDJSON: "application/x-ndjson"}[n.cfg.Format])
	if n.header.Get("Content-Type") == "" {
		n.header.Set("Content-Type", "application/json")
	}
	if n.cfg.Gzip {
		n.header.Set("Content-Encoding", "gzip")
	}
	if n.cfg.Token == "" {
		return nil
	}
	name, value := "Authorization", "Bearer "+n.cfg.Token
	if n.cfg.Format == Splunk {
		value = "Splunk " + n.cfg.Token
	}
	if n.cfg.TokenHeader != "" && !strings.EqualFold(n.cfg.TokenHeader, name) {
		name, value = n.cfg.TokenHeader, n.cfg.Token
	}
	return set(name, value)
}

// acknowledged prepares for asking Splunk what it has indexed.
func (n *Notifier) acknowledged() error {
	u, err := url.Parse(string(n.cfg.URL))
	if err != nil {
		return errors.New("siem http: url can't be read")
	}
	before, _, ok := strings.Cut(u.Path, "/services/collector")
	if !ok {
		return errors.New("siem http: to ask for acknowledgements the url must end in /services/collector/event")
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	n.channel = fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	n.header.Set("X-Splunk-Request-Channel", n.channel)
	u.Path, u.RawQuery = before+"/services/collector/ack", "channel="+n.channel
	n.ackURL = u.String()
	return nil
}

// Name is the notifier's name.
func (n *Notifier) Name() string { return n.opts.Name }

// Close ends the connections that are kept open.
func (n *Notifier) Close() error {
	n.http.Close()
	return nil
}
