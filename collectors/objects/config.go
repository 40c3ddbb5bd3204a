package objects

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"gocloud.dev/blob"
	"gocloud.dev/pubsub"

	"vigil/collectors/decode"
)

// The defaults of Config.
const (
	defaultPoll     = time.Minute
	defaultNotified = time.Hour
	defaultLookback = 48 * time.Hour
)

// Config says which objects are read, and how.
type Config struct {
	decode.Config
	// URL is the bucket, container or folder: "s3://bucket?region=eu-central-1",
	// "gs://bucket", "azblob://container?storage_account=name", "file:///a/folder" or the
	// folder's path. Credentials come by each product's usual chain; a URL holds none.
	URL string
	// Prefixes are the beginnings of keys that are listed, with {yyyy}, {mm}, {dd} and
	// {hh} for the parts of a date in UTC. None lists everything.
	Prefixes []string
	// Match is a glob on keys, in which ** stands for any folders; without a slash it is
	// one on the last part. Empty takes all.
	Match string
	// Poll is how often objects are listed. Zero means a minute, or an hour where there
	// are notifications.
	Poll time.Duration
	// Notifications is the queue that tells of new objects, empty for none:
	// "awssqs://sqs.eu-central-1.amazonaws.com/1234/queue?region=eu-central-1",
	// "gcppubsub://projects/p/subscriptions/s", "azuresb://topic?subscription=s".
	Notifications string
	// Start is the time from which on objects are read at the first start. Zero means
	// Lookback before it.
	Start time.Time
	// All reads all there are at the first start; Start is not used then.
	All bool
	// Lookback is how late an object may turn up in the listing, by its time of change,
	// and still be read. Zero means 48 hours; an hour at least.
	Lookback time.Duration
}

// Options are what code passes.
type Options struct {
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
	// Bucket is used in place of the one that the URL opens, and Subscription in place of
	// that of Notifications. The collector closes neither.
	Bucket       *blob.Bucket
	Subscription *pubsub.Subscription
}

// Collector reads the objects of one bucket, container or folder as one source; it is a
// collectors.Collector.
type Collector struct {
	cfg      Config
	opts     Options
	place    place
	prefixes []prefix
	log      *slog.Logger

	// failed is the object that could not be read last, by its hash, and failures how often
	// in a row: they outlive a Run, and belong to it while there is one.
	failed   uint64
	failures int
}

// New makes the collector. Nothing is opened before Run or Check.
func New(cfg Config, opts Options) (*Collector, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	c := &Collector{cfg: cfg, opts: opts, log: opts.Logger}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if c.place, err = parsePlace(cfg.URL); err != nil {
		return nil, err
	}
	if err := CheckMatch(cfg.Match); err != nil {
		return nil, err
	}
	if cfg.Notifications != "" {
		if err := CheckNotifications(cfg.Notifications); err != nil {
			return nil, err
		}
	}
	for _, text := range cfg.Prefixes {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, err
		}
		if p.step > 0 && cfg.All {
			return nil, fmt.Errorf("prefix %q holds a date, so that \"all\" has no beginning: say from which day on with start", text)
		}
		c.prefixes = append(c.prefixes, p)
	}
	if len(c.prefixes) == 0 {
		c.prefixes = []prefix{{}}
	}
	if c.cfg.Lookback <= 0 {
		c.cfg.Lookback = defaultLookback
	}
	c.cfg.Lookback = max(c.cfg.Lookback, time.Hour)
	if c.cfg.Poll <= 0 {
		c.cfg.Poll = defaultPoll
		if c.notified() {
			c.cfg.Poll = defaultNotified
		}
	}
	return c, nil
}

func (c *Collector) notified() bool { return c.cfg.Notifications != "" || c.opts.Subscription != nil }

// place is where objects lie.
type place struct {
	// scheme is s3, gs, azblob or file; name is the bucket's or container's, or the
	// folder's path.
	scheme, name string
	// url is what opens it.
	url *url.URL
}

// String names the place without its settings, as origins and positions do.
func (p place) String() string { return p.scheme + "://" + p.name }

// CheckURL says what is wrong with the URL of a place.
func CheckURL(text string) error {
	_, err := parsePlace(text)
	return err
}

func parsePlace(text string) (place, error) {
	if path.IsAbs(text) {
		return place{scheme: "file", name: filepath.Clean(text)}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return place{}, errors.New(`the url can't be read: write for example "s3://bucket?region=eu-central-1"`)
	}
	if u.User != nil {
		return place{}, errors.New("the url holds a user or password: credentials come from the environment, a file or the machine's role")
	}
	for name := range u.Query() {
		if l := strings.ToLower(name); strings.Contains(l, "secret") || strings.Contains(l, "password") || l == "sig" || strings.Contains(l, "token") || l == "private_key_path" {
			return place{}, fmt.Errorf("the url's setting %q holds a credential: those come from the environment, a file or the machine's role", name)
		}
	}
	p := place{scheme: u.Scheme, name: u.Host, url: u}
	switch u.Scheme {
	case "s3", "gs", "azblob":
		if u.Host == "" {
			return place{}, fmt.Errorf(`the url names no bucket: write for example "%s://bucket"`, u.Scheme)
		}
		if strings.Trim(u.Path, "/") != "" {
			return place{}, fmt.Errorf("the url names more than the bucket: write %q as the prefix", strings.TrimPrefix(u.Path, "/"))
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return place{}, errors.New(`the url names no folder: write for example "file:///var/spool/exports"`)
		}
		p.name = filepath.Clean(u.Path)
	default:
		return place{}, fmt.Errorf("%q is no kind of store: there are s3, gs, azblob and file", u.Scheme)
	}
	return p, nil
}

// CheckMatch says what is wrong with a glob.
func CheckMatch(glob string) error {
	if !doublestar.ValidatePattern(glob) {
		return fmt.Errorf(`%q is no pattern: write for example "**/*.json.gz"`, glob)
	}
	return nil
}

// CheckPrefix says what is wrong with a prefix.
func CheckPrefix(text string) error {
	_, err := parsePrefix(text)
	return err
}

// CheckNotifications says what is wrong with the URL of a queue.
func CheckNotifications(text string) error {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains([]string{"awssqs", "gcppubsub", "azuresb"}, u.Scheme) || u.Host == "" {
		return errors.New(`the queue's url can't be read: write "awssqs://...", "gcppubsub://..." or "azuresb://..."`)
	}
	if u.User != nil {
		return errors.New("the queue's url holds a user or password: credentials come from the environment, a file or the machine's role")
	}
	return nil
}

// wanted says whether a key is one to read.
func (c *Collector) wanted(key string) bool {
	if strings.HasSuffix(key, "/") {
		return false // a folder's marker
	}
	glob := c.cfg.Match
	if glob == "" {
		return true
	}
	if !strings.Contains(glob, "/") {
		key = path.Base(key)
	}
	return doublestar.MatchUnvalidated(glob, key)
}

// Check connects and looks at the first objects: the error says what is missing, and how
// to mend it. Of one object the first byte is read.
func (c *Collector) Check(ctx context.Context) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	now := time.Now()
	for _, prefix := range c.expand(now.Add(-c.cfg.Lookback), now) {
		var one object
		err := s.list(ctx, prefix, func(o object) error {
			if c.wanted(o.key) && o.size > 0 {
				one = o
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return c.explain("list", err)
		}
		if one.key == "" {
			continue
		}
		body, err := s.open(ctx, one.key)
		if err == nil {
			_, err = body.Read(make([]byte, 1))
			err = errors.Join(ignoreEOF(err), body.Close())
		}
		if err != nil {
			return c.explain("read", err)
		}
		return nil
	}
	return nil
}
