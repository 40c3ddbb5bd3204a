// Package okta reads Okta's System Log from its API: GET /api/v1/logs without an end,
// which Okta calls polling. Its next link leads behind the last event in the order in
// which Okta stored them, so that an event that is stored late comes late and is not
// missed; an empty page says that all was read, and its link is asked again.
//
// Where Okta no longer takes the link, it goes on by time, an overlap earlier. Events keep
// Okta's ids, so that one that is read again counts once. One goroutine runs it.
package okta

import (
	"net/http"
	"strconv"
	"time"

	"vigil/collectors/rest"
)

const (
	path      = "/api/v1/logs"
	tokenPath = "/oauth2/v1/token" //nolint:gosec // a path, no secret
	scope     = "okta.logs.read"
	// size is how many events a page has, the most that Okta gives.
	size = 1000
	// kept is how long Okta keeps its log.
	kept = 90 * 24 * time.Hour
)

// Okta is a collector.
type Okta struct{ *rest.Puller }

func feed() rest.Feed {
	return rest.Feed{
		Name: "logs", Size: size, Follows: true, Keeps: kept, Parse: parse,
		First: func(from, _ time.Time, n int) string {
			return rest.Query(path, "since", from.UTC().Format("2006-01-02T15:04:05.000Z"), "sortOrder", "ASCENDING", "limit", strconv.Itoa(n))
		},
	}
}

// parse reads a page.
func parse(c *rest.Client, a *rest.Answer) (rest.Page, error) {
	records, _, err := c.List(a, "")
	if err != nil {
		return rest.Page{}, err
	}
	return rest.Page{Records: records, Next: rest.NextLink(a.Header)}, nil
}

// remedy says what a refusal means.
func remedy(e *rest.StatusError) string {
	switch {
	case e.Path == tokenPath && e.Code == "invalid_dpop_proof":
		return "switch off \"Require Demonstrating Proof of Possession (DPoP)\" in the service app's settings"
	case e.Path == tokenPath && e.Code == "invalid_scope":
		return "grant the service app the scope " + scope + " on its tab Okta API Scopes"
	case e.Path == tokenPath:
		return "check client_id, private_key and key_id against the service app's public keys; its client authentication must be by key"
	case e.Status == http.StatusUnauthorized:
		return "the token is not known, or no more: an API token ends after 30 days without use, and with its user"
	case e.Status == http.StatusForbidden:
		return "give the service app the scope " + scope + " and an administrator's role that may read the System Log (read-only administrator), or make the API token as such an administrator; check that no network zone keeps vigil out"
	case e.Status == http.StatusNotFound:
		return "is url the organisation's address, without -admin?"
	}
	return ""
}
