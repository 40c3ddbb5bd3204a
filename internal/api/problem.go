package api

import (
	"net/http"
)

// Code says in one word of a closed set what went wrong, for programs.
type Code string

// The codes.
const (
	CodeBadRequest   Code = "bad_request"   // it can't be read
	CodeUnsigned     Code = "unsigned"      // nobody is signed in
	CodeForbidden    Code = "forbidden"     // their roles don't allow it
	CodeOwnCase      Code = "own_case"      // it is about themselves
	CodeStale        Code = "stale"         // somebody else changed it meanwhile
	CodeNotFound     Code = "not_found"     // it is not there, or no longer
	CodeRefused      Code = "refused"       // it can't be done as asked
	CodeTooLarge     Code = "too_large"     // it is longer than is read
	CodeBusy         Code = "busy"          // too much at once: try again in a second
	CodeUnrecorded   Code = "unrecorded"    // it could not be recorded, and so is not shown
	CodeSlow         Code = "slow"          // it took too long
	CodeUnavailable  Code = "unavailable"   // this vigil does not have it
	CodeInside       Code = "inside"        // something went wrong here
	CodeWrongMethod  Code = "wrong_method"  // this address does not take that
	CodeWrongContent Code = "wrong_content" // it is of another content type
)

// Problem is an error that who asks may read: what happened, and what to do. As JSON it
// is a problem detail (RFC 9457).
type Problem struct {
	Status   int    `json:"status"`
	Code     Code   `json:"code"`
	Headline string `json:"title"`
	Remedy   string `json:"detail"`
}

// NewProblem is one with the code that its HTTP status has most often.
func NewProblem(status int, headline, remedy string) *Problem {
	code := map[int]Code{
		http.StatusBadRequest: CodeBadRequest, http.StatusUnauthorized: CodeUnsigned, http.StatusForbidden: CodeForbidden,
		http.StatusNotFound: CodeNotFound, http.StatusMethodNotAllowed: CodeWrongMethod, http.StatusConflict: CodeStale,
		http.StatusRequestEntityTooLarge: CodeTooLarge, http.StatusUnsupportedMediaType: CodeWrongContent,
		http.StatusMisdirectedRequest: CodeForbidden, http.StatusUnprocessableEntity: CodeRefused, http.StatusTooManyRequests: CodeBusy,
		http.StatusServiceUnavailable: CodeBusy, http.StatusGatewayTimeout: CodeSlow, http.StatusNotImplemented: CodeUnavailable,
	}[status]
	if code == "" {
		code = CodeInside
	}
	return &Problem{Status: status, Code: code, Headline: headline, Remedy: remedy}
}

// With returns the problem with another code.
func (p *Problem) With(c Code) *Problem {
	q := *p
	q.Code = c
	return &q
}

// Error implements error.
func (p *Problem) Error() string { return p.Headline }
