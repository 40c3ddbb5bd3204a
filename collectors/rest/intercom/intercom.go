// Package intercom reads the activity log of Intercom's teammates from its API: GET
// /admins/activity_logs, by page number within windows of at most a day.
//
// Activities keep Intercom's ids, so that one that is read again counts once. One
// goroutine runs it.
package intercom

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"vigil/collectors/rest"
)

const (
	path = "/admins/activity_logs"
	// size is how many activities a page has.
	size = 50
	// span bounds a window, so that page numbers stay small.
	span = 24 * time.Hour
)

// Intercom is a collector.
type Intercom struct{ *rest.Puller }

func feed() rest.Feed {
	return rest.Feed{
		Name: "activity_logs", Size: size, Span: span, Parse: parse,
		First: func(from, to time.Time, n int) string {
			return rest.Query(path, "created_at_after", strconv.FormatInt(from.Unix(), 10), "created_at_before", strconv.FormatInt(to.Unix(), 10),
				"page", "1", "per_page", strconv.Itoa(n))
		},
	}
}

// parse reads a page. The next one is told as an address or as a cursor; where neither is
// told and there are more pages, it is the one with the next number.
func parse(c *rest.Client, a *rest.Answer) (rest.Page, error) {
	records, v, err := c.List(a, "activity_logs")
	if err != nil {
		return rest.Page{}, err
	}
	next := v.Get("pages.next")
	p := rest.Page{Records: records, Next: next.Str}
	number, total := v.Get("pages.page").Int(), v.Get("pages.total_pages").Int()
	switch cursor := next.Get("starting_after").Str; {
	case p.Next != "":
	case cursor != "":
		p.Next = with(a.URL, "starting_after", cursor)
	case number > 0 && number < total:
		p.Next = with(a.URL, "page", strconv.FormatInt(number+1, 10))
	}
	return p, nil
}

// with is an address with a parameter set.
func with(u *url.URL, name, value string) string {
	q := u.Query()
	q.Set(name, value)
	return u.Path + "?" + q.Encode()
}

// remedy says what a refusal means.
func remedy(e *rest.StatusError) string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "the token is not known, or no more, or of a workspace in another region: url must be the region's"
	case http.StatusForbidden:
		return "give the app the permission to read admins (read_admins) in the Developer Hub, then take its access token anew"
	case http.StatusNotFound:
		return "is url the API's address?"
	}
	return ""
}
