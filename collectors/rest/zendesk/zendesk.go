// Package zendesk reads Zendesk's access and audit logs from its API: GET
// /api/v2/access_logs (of accounts with the Advanced Data Privacy and Protection add-on)
// and GET /api/v2/audit_logs (of Enterprise plans), page by page by cursor.
//
// Both are read by windows of time, as package rest describes. Entries keep Zendesk's
// ids, so that one that is read again counts once. One goroutine runs it.
package zendesk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigil/collectors/rest"
)

// size is how many entries a page has, the most that Zendesk gives.
const size = 100

// accessKept is how long Zendesk keeps its access log.
const accessKept = 90 * 24 * time.Hour

// Zendesk is a collector.
type Zendesk struct{ *rest.Puller }

// feed is the list of one of the logs.
func feed(log string) rest.Feed {
	f := rest.Feed{Name: log + "_logs", Size: size}
	path := "/api/v2/" + f.Name
	f.Parse = func(c *rest.Client, a *rest.Answer) (rest.Page, error) { return parse(c, a, f.Name) }
	if log == Access {
		f.Keeps = accessKept
		f.First = func(from, to time.Time, n int) string {
			return rest.Query(path, "filter[start]", from.Format(time.RFC3339), "filter[end]", to.Format(time.RFC3339), "page[size]", strconv.Itoa(n))
		}
		return f
	}
	f.First = func(from, to time.Time, n int) string {
		return rest.Query(path, "filter[created_at][]", from.Format(time.RFC3339), "filter[created_at][]", to.Format(time.RFC3339), "sort", "created_at", "page[size]", strconv.Itoa(n))
	}
	return f
}

// parse reads a page. There is a next one where meta says so, and, of an answer without
// it, where links name one.
func parse(c *rest.Client, a *rest.Answer, list string) (rest.Page, error) {
	records, v, err := c.List(a, list)
	if err != nil {
		return rest.Page{}, err
	}
	p := rest.Page{Records: records, Next: v.Get("links.next").Str}
	more := v.Get("meta.has_more")
	if after := v.Get("meta.after_cursor").Str; p.Next == "" && more.Bool() && after != "" {
		q := a.URL.Query()
		q.Set("page[after]", after)
		p.Next = a.URL.Path + "?" + q.Encode()
	}
	if more.Exists() && !more.Bool() {
		p.Next = ""
	}
	return p, nil
}

// remedy says what a refusal means.
func remedy(e *rest.StatusError) string {
	switch {
	case strings.HasPrefix(e.Path, "/oauth/"):
		return "check client_id and client_secret; the OAuth client must be confidential and allowed the scope read"
	case e.Status == http.StatusUnauthorized:
		return "the token is not known, or no more; with an API token, email must be the administrator's and token access be switched on"
	case e.Status == http.StatusForbidden && strings.HasSuffix(e.Path, "access_logs"):
		return "the access log needs an administrator, the scope read, and the Advanced Data Privacy and Protection add-on; without it, leave access out of logs"
	case e.Status == http.StatusForbidden && strings.HasSuffix(e.Path, "audit_logs"):
		return "the audit log needs an administrator, the scope read or auditlogs:read, and an Enterprise plan; without it, leave audit out of logs"
	case e.Status == http.StatusNotFound:
		return "is url the account's address?"
	}
	return ""
}
