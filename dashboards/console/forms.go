package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
)

// keyOf makes the key of a form out of who has it, and what they have seen of what: the
// same form has the same key however often it is drawn, so that one press that comes twice
// is one deed.
func keyOf(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text := fmt.Sprint(p)
		fmt.Fprintf(h, "%d:%s;", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// leadOn sends a browser to the page that shows what came of a form.
func leadOn(w http.ResponseWriter, r *http.Request, page, said string) {
	http.Redirect(w, r, page+"?said="+said, http.StatusSeeOther) //nolint:gosec // page is one of our own paths
}
