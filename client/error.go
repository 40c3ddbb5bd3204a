package client

import (
	"errors"
	"fmt"
	"net/http"

	"vigil/internal/api"
)

// Code says in one word of a closed set what went wrong.
type Code = api.Code

// The codes. Others of the set are those of a request that this client does not make.
const (
	CodeUnsigned   = api.CodeUnsigned   // the token is not known, or no longer
	CodeForbidden  = api.CodeForbidden  // its roles don't allow it
	CodeOwnCase    = api.CodeOwnCase    // it is about themselves
	CodeStale      = api.CodeStale      // somebody else changed it meanwhile
	CodeNotFound   = api.CodeNotFound   // it is not there, or no longer
	CodeRefused    = api.CodeRefused    // it can't be done as asked
	CodeBusy       = api.CodeBusy       // too much at once
	CodeUnrecorded = api.CodeUnrecorded // it could not be recorded, and so is not shown
)

// Error is what the service says of a question that it did not answer.
type Error struct {
	// Status is the HTTP status, Code the reason in a word, empty where something else
	// than vigil answered.
	Status int
	Code   Code
	// Title says what happened, Detail what to do.
	Title, Detail string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Title == "" {
		return fmt.Sprintf("vigil answers %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("vigil says: %s; %s", e.Title, e.Detail)
}

// CodeOf is the code of an error of this package, empty for any other.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
