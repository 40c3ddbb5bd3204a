package identity

import (
	_ "embed" // the list of the commonest passwords
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vigil/internal/api"
)

// The bounds of a password: characters at least, bytes at most.
const (
	minPassword = 12
	maxPassword = 1024
)

//go:embed common.txt
var common string

// weak says why a password is not taken, nil when it is. It asks for length, and that it
// is none of the commonest nor made of the name; there are no rules of composition, which
// make passwords no better (NIST SP 800-63B, section 5.1.1.2).
func weak(password, name string) *api.Problem {
	no := func(why string) *api.Problem {
		return api.NewProblem(http.StatusUnprocessableEntity, "Choose another password", why)
	}
	switch {
	case !utf8.ValidString(password):
		return no("It holds characters that are none. Type it again.")
	case utf8.RuneCountInString(password) < minPassword:
		return no("It needs at least 12 characters. A few words in a row are easy to keep in mind.")
	case len(password) > maxPassword:
		return no("It is longer than 1,024 bytes.")
	}
	low := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(name), "@")
	for _, part := range []string{strings.ToLower(name), local} {
		if len(part) >= 3 && utf8.RuneCountInString(strings.ReplaceAll(low, part, "")) < 8 {
			return no("It is little more than your name, which is what is tried first.")
		}
	}
	words := strings.Fields(common)
	bare := strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
	if slices.Contains(words, low) || slices.Contains(words, bare) || repeated(low) || slices.Contains(words, unit(bare)) {
		return no("It is one of the commonest, which are tried first.")
	}
	return nil
}

// repeated reports whether a text is a few characters over and over.
func repeated(s string) bool { return utf8.RuneCountInString(unit(s)) <= 4 }

// unit returns the shortest text of which s consists, repeated; s itself where there is
// no shorter one.
func unit(s string) string {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return s[:n]
		}
	}
	return s
}
