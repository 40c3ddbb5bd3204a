package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrInside is what a client is told of a fault of ours.
var ErrInside = NewProblem(http.StatusInternalServerError, "Something went wrong here", "The program's own log tells what. Nothing was changed; try again.")

var (
	errOwnCase = NewProblem(http.StatusForbidden, "This case is about yourself",
		"Nobody works on a case about themselves: ask somebody else to.").With(CodeOwnCase)
	errSlow   = NewProblem(http.StatusGatewayTimeout, "The store took too long to answer", "Try again; if it stays so, look at the program's own log.")
	errSealed = NewProblem(http.StatusServiceUnavailable, "Nothing can be shown just now",
		"Each look is recorded before it is granted, and the record can't be written. Is the disk full? Make room: nothing that was accepted is lost, and this comes back by itself.").With(CodeUnrecorded)
)

// ProblemOf turns what a service returned into what a client may know: none where a thing
// is not there, stale where somebody else changed it. ours says that it is not the client's
// doing, and belongs into the log. ctx is the request's: of who is gone nothing is ours.
func ProblemOf(ctx context.Context, err error, none, stale *Problem) (p *Problem, ours bool) {
	switch {
	case errors.As(err, &p):
		return p, false
	case errors.Is(err, ErrUnrecorded):
		return errSealed, true
	case errors.Is(err, ErrRefused):
		return NewProblem(http.StatusUnprocessableEntity, "That can't be done", Reason(err)), false
	case errors.Is(err, ErrNotFound):
		return none, false
	case errors.Is(err, ErrStale):
		return stale, false
	case errors.Is(err, ErrOwnCase):
		return errOwnCase, false
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return errSlow, false
	case errors.Is(err, context.DeadlineExceeded):
		return errSlow, true
	}
	return ErrInside, true
}

// Reason is what the error of something that was refused says to who asked.
func Reason(err error) string {
	text := strings.TrimPrefix(err.Error(), ErrRefused.Error()+": ")
	if r, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(r)) + text[size:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
