package influx

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

var droppedCount = regexp.MustCompile(`dropped=(\d+)`)

// setAside tells whether the server took the good part of a batch and will
// never take the rest, and how many points that rest is. A batch that must be
// sent again as a whole is none.
func setAside(he *influxhttp.Error, points int) (dropped int, ok bool) {
	if he.StatusCode != http.StatusBadRequest && he.StatusCode != http.StatusUnprocessableEntity {
		return 0, false
	}
	msg := he.Message
	if !strings.Contains(msg, "partial write") && !strings.Contains(msg, "unable to parse") &&
		!strings.Contains(msg, "beyond retention policy") && !strings.Contains(msg, "outside retention policy") {
		return 0, false
	}
	dropped = points
	if m := droppedCount.FindStringSubmatch(msg); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 && n <= points {
			dropped = n
		}
	}
	return dropped, true
}

// explain turns the client's error into one that says what to do, and that
// can't hold the token.
func (w *Writer) explain(err error) error {
	var he *influxhttp.Error
	if !errors.As(err, &he) || he.StatusCode == 0 {
		// net/http's error repeats the address, which holds no secret, and the
		// cause.
		var ue *url.Error
		if !errors.As(err, &ue) {
			return fmt.Errorf("server at %s does not answer as InfluxDB does: %s", redactURL(w.cfg.URL), w.quote(err.Error()))
		}
		return fmt.Errorf("server at %s does not answer: %w", redactURL(w.cfg.URL), ue.Err)
	}
	said := w.quote(he.Message)
	var remedy string
	switch code := he.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		remedy = "check the token and that it may write to the bucket (InfluxDB 1.8: user:password)"
	case code == http.StatusNotFound:
		remedy = fmt.Sprintf("check that bucket %q exists (InfluxDB 1.8: database/retention-policy)", w.cfg.Bucket)
	case code == http.StatusTooManyRequests || code >= 500:
		remedy = "the server is busy or ill; the points wait and are sent again"
	case code >= 300 && code < 400:
		remedy = "the address redirects; give the server's own address"
	default:
		remedy = "the points wait and are sent again"
	}
	return fmt.Errorf("server answered %d, %s: %s", he.StatusCode, said, remedy)
}

// quote makes the server's own words fit to print: quoted, short, and without
// the token, which a server may echo.
func (w *Writer) quote(said string) string {
	if w.cfg.Token != "" {
		said = strings.ReplaceAll(said, string(w.cfg.Token), redacted)
	}
	return short(said)
}

// short quotes foreign text and cuts it to 300 bytes.
func short(s string) string {
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return strconv.Quote(s)
}

// redactURL removes what an address should not hold but may.
func redactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(not an address)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
