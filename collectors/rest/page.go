package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// Page is one of a list's.
type Page struct {
	// Records are the records as they came.
	Records [][]byte
	// Next is the address of the next one; empty where there is none.
	Next string
}

// noJSON says what an answer is that should have been JSON.
func (c *Client) noJSON(body []byte) error {
	start := bytes.TrimSpace(body[:min(len(body), 512)])
	switch {
	case len(start) == 0:
		return fmt.Errorf("%s's answer is empty", c.cfg.Product)
	case start[0] == '<':
		return fmt.Errorf("%s's answer is a web page, not JSON: is url the API's address, and does no proxy or sign-in page stand before it?", c.cfg.Product)
	case start[0] == '{' || start[0] == '[':
		return fmt.Errorf("%s's answer is cut off, or broken JSON", c.cfg.Product)
	}
	return fmt.Errorf("%s's answer is not JSON: is url the API's address?", c.cfg.Product)
}

// JSON reads an answer.
func (c *Client) JSON(a *Answer) (gjson.Result, error) {
	if !gjson.ValidBytes(a.Body) {
		return gjson.Result{}, c.noJSON(a.Body)
	}
	return gjson.ParseBytes(a.Body), nil
}

// List reads an answer that holds a list of records at a path, "" for the whole; the
// answer itself is returned too. null is an empty list.
func (c *Client) List(a *Answer, path string) ([][]byte, gjson.Result, error) {
	v, err := c.JSON(a)
	if err != nil {
		return nil, v, err
	}
	list := v
	if path != "" {
		list = v.Get(path)
	}
	if list.Exists() && list.Type == gjson.Null {
		return nil, v, nil
	}
	if !list.IsArray() {
		what := "is no list"
		if path != "" {
			what = "has no " + path
		}
		return nil, v, fmt.Errorf("%s's answer %s: is url the API's address, and its version one that vigil knows?", c.cfg.Product, what)
	}
	var records [][]byte
	list.ForEach(func(_, r gjson.Result) bool {
		records = append(records, []byte(r.Raw))
		return true
	})
	return records, v, nil
}

// NextLink is the target of the link to the next page (Nottingham, RFC 8288, 2017) among
// an answer's headers; empty for none.
func NextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for line != "" {
			_, rest, ok := strings.Cut(line, "<")
			if !ok {
				break
			}
			target, rest, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			params := rest
			// The next link begins at a comma outside quotes.
			quoted := false
			line = ""
			for i, r := range rest {
				if r == '"' {
					quoted = !quoted
				} else if r == ',' && !quoted {
					params, line = rest[:i], rest[i+1:]
					break
				}
			}
			for p := range strings.SplitSeq(params, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				if strings.EqualFold(name, "rel") && strings.EqualFold(strings.Trim(value, `" `), "next") {
					return strings.TrimSpace(target)
				}
			}
		}
	}
	return ""
}

// Query builds an address of a path and parameters, in pairs.
func Query(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	for i := 0; i+1 < len(pairs); i += 2 {
		if i == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pairs[i]))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}
