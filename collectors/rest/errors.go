package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/tidwall/gjson"
)

// ErrTooLarge is an answer larger than is read.
var ErrTooLarge = errors.New("the answer is too large")

// StatusError is an answer other than success.
type StatusError struct {
	Product string
	Status  int
	// Code is the product's own word for the reason, such as "E0000011"; "" for none.
	Code string
	// Method and Path are what was asked.
	Method, Path string
	// Remedy is what to do about it; may be empty.
	Remedy string
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s answers %d %s to %s %s", e.Product, e.Status, http.StatusText(e.Status), e.Method, e.Path)
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// LimitError is a limit of the API that lasts longer than is waited for.
type LimitError struct {
	Product string
	// Until is when it may be asked again.
	Until time.Time
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s's limit of requests is used up; it is asked again after %s. If that happens often, lengthen poll or let other clients ask less",
		e.Product, e.Until.UTC().Format(time.RFC3339))
}

// NetworkError is a request that got no answer.
type NetworkError struct {
	Product, Host string
	Err           error
}

func (e *NetworkError) Error() string {
	return fmt.Sprintf("ask %s at %s: %v", e.Product, e.Host, e.Err)
}

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// ElsewhereError is an address at another host, which is not asked.
type ElsewhereError struct{ Product, What, Host, Own string }

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("%s %s at %q, which is not asked since url says %s; if that is its address, set url to it", e.Product, e.What, e.Host, e.Own)
}

// InnerError is a host's name that resolves to an address that is not public.
type InnerError struct{ Product, Host string }

func (e *InnerError) Error() string {
	return fmt.Sprintf("%s's host %s resolves to an address that is not public, which is not asked; if it is meant to, set allow_private: true", e.Product, e.Host)
}

// network says of a failed request what failed, without the address, which may hold a
// cursor or names.
func (c *Client) network(err error) error {
	var elsewhere *ElsewhereError
	var inside *InnerError
	var known *NetworkError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &elsewhere):
		return elsewhere
	case errors.As(err, &inside):
		return inside
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the answer is cut off: %w", err)
	}
	return &NetworkError{Product: c.cfg.Product, Host: c.base.Host, Err: err}
}

// refusal reads an answer that is no success. Of its body it takes a code at most: the
// rest may hold anything.
func (c *Client) refusal(resp *http.Response, method string, u *url.URL) *StatusError {
	e := &StatusError{Product: c.cfg.Product, Status: resp.StatusCode, Method: method, Path: u.Path}
	// What can't be read of it is no code.
	if body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err == nil {
		e.Code = codeOf(body)
	}
	if c.opts.Remedy != nil {
		e.Remedy = c.opts.Remedy(e)
	}
	return e
}

// code is what a code looks like.
var code = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// codeOf finds the code in an error's body, as these products write them.
func codeOf(body []byte) string {
	if !gjson.ValidBytes(body) {
		return ""
	}
	v := gjson.ParseBytes(body)
	for _, path := range []string{"errorCode", "0.errorCode", "errors.0.code", "error.code", "error"} {
		if s := v.Get(path); s.Type == gjson.String && code.MatchString(s.Str) {
			return s.Str
		}
	}
	return ""
}

// RefusedCursor reports whether an error says that a cursor is not known, or no more.
func RefusedCursor(err error) bool {
	var e *StatusError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
