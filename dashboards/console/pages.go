package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil/dashboards/view"
	"vigil/internal/api"
)

const (
	eventSize = 50      // events on a finding's page
	maxOffset = 1000000 // of events or findings: beyond it an address is refused
)

// said is in words what came of a form: the address names it by a code, so that no text of
// elsewhere can stand there.
func said(code string) string {
	switch code {
	case "reveal-asked":
		return "A second person is asked. The name is shown once somebody else has approved."
	case "reveal-approved":
		return "You approved it: the name is shown to who asked, and to you."
	case "reveal-ended":
		return "It is ended: no name is shown."
	case "acknowledged":
		return "You have taken note of it. It is yours now."
	case "assigned":
		return "It is handed over."
	case "snoozed":
		return "It is left alone for that time, unless it gets graver."
	case "noted":
		return "Your note is kept."
	case "aware":
		return "The 72-hour clock runs."
	case "asked":
		return "They are asked. What they answer comes into the case."
	case "judged":
		return "Your verdict is kept, and teaches what comes after."
	case "taken-back":
		return "The verdict is taken back, and the case is open again."
	case "expected":
		return "From now on this is expected."
	case "seen":
		return "Everything is marked as seen."
	case "exception-ended":
		return "The exception has ended: what it expected is judged again."
	case "silenced":
		return "The silence holds from now on. What it keeps back is still in the queue and in the digest."
	case "silence-ended":
		return "The silence has ended."
	case "setting-proposed":
		return "The setting is proposed. It comes into force when a second person confirms it."
	case "setting-confirm":
		return "The setting is confirmed. It holds from the next entry of the log on."
	case "setting-withdraw":
		return "The proposal is withdrawn. The setting stays as it was."
	case "replay-begun":
		return "The back-test has begun. It runs in the background; this page shows how far it is."
	case "replay-stopped":
		return "The back-test is being stopped."
	case "notice-kept":
		return "What you wrote is kept. Nothing was sent."
	case "report-begun":
		return "The report is being made. It stands here when it is there: reload the page in a minute."
	case "notice-sent":
		return "It is written down that the notification was sent, with its text as it was."
	case "drill-begun":
		return "The drill has begun. Its board appears here when it is over; you need not wait."
	case "drill-stopped":
		return "The drill was ended."
	case "password-changed":
		return "Your password is changed, and all your other sessions are ended."
	case "session-ended":
		return "The session is ended."
	case "token-revoked":
		return "The token is revoked: what comes with it is refused from now on."
	case "account-disabled":
		return "The account is disabled, and its sessions are ended."
	case "account-enabled":
		return "The account is enabled again."
	case "roles-given":
		return "The roles are given. Who was signed in has to sign in again."
	case "signed-out":
		return "You are signed out."
	case "set-up":
		return "Your account is set up, and you are signed in."
	}
	return ""
}

// livePage is a page whose Body renews itself from Poll.
type livePage struct {
	base
	// Poll is asked Every so often where nothing tells what changes; Topics are what is
	// listened to, parted by spaces (see api.Topic), empty for nothing.
	Poll, Every, Topics, Headers string
	Body                         template.HTML
}

type errorPage struct {
	base
	Headline, Remedy string
}

// render executes a template in full before anything is sent.
func (h *Handler) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// now is the time by which "ago" is told: the clock's while the log keeps up with
// it, else (a replay, a stopped source) the time up to which the log is judged.
func (h *Handler) now(s api.Status) time.Time {
	now := h.cfg.Now()
	if s.Watermark.IsZero() || now.Sub(s.Watermark).Abs() < 10*time.Minute {
		return now
	}
	return s.Watermark
}

// place says where in the console a finding stands.
func place(id string, now time.Time) view.Options {
	path := "/findings/" + url.PathEscape(id)
	return view.Options{Now: now, Path: path, JSON: "/api/v1" + path}
}

// sendLive sends a whole page or its renewing part, or says that the one the
// client has is still right.
func (h *Handler) sendLive(w http.ResponseWriter, r *http.Request, name, tag string, page livePage) {
	h.sendPage(w, r, name, tag, &page, &page)
}

// sendPage is sendLive for a page that has more than a renewing part: data holds page.
func (h *Handler) sendPage(w http.ResponseWriter, r *http.Request, name, tag string, page *livePage, data any) {
	if tag != "" && r.Header.Get("If-None-Match") == tag && strings.HasSuffix(name, "-live") {
		notModified(w, tag)
		return
	}
	h.tagged(page, tag)
	body, err := h.render(name, data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// tagged fills in how a page's renewing part asks for what is newer than its tag.
func (h *Handler) tagged(page *livePage, tag string) {
	if !h.has("GET /live/events") {
		page.Topics = ""
	}
	page.Headers = "{}"
	if tag != "" {
		// Quoted with JSON, so that the tag's own quotes survive.
		if headers, err := json.Marshal(map[string]string{"If-None-Match": tag}); err == nil {
			page.Headers = string(headers)
		}
	}
}

func notModified(w http.ResponseWriter, tag string) {
	w.Header().Set("ETag", tag)
	w.WriteHeader(http.StatusNotModified)
}

func tagOf(parts ...[]byte) string {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p)
		sum.Write([]byte{0})
	}
	return `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
}

// safely runs a read on a goroutine of ours: a panic there would end the program.
func safely(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return read()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

func readNumber(values url.Values, name string, otherwise, low, high int) (int, *api.Problem) {
	s := values.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, badRequest("“%s” is not a number from %d to %d.", name, low, high)
	}
	return n, nil
}

// validID tells whether a text can be a finding's id: at most 128 letters, digits
// and -_.~: signs.
func validID(id string) bool {
	if id == "" || len(id) > 128 || id == "." || id == ".." {
		return false
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == ':':
		default:
			return false
		}
	}
	return true
}
