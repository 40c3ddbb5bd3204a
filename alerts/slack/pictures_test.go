package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/picture"
	"vigil/alerts/slack"
)

// imageOf is the file that a posted card shows.
func imageOf(t *testing.T, p post) (file, alt string) {
	t.Helper()
	var blocks []struct {
		Type string
		File struct{ ID string } `json:"slack_file"`
		Alt  string              `json:"alt_text"`
	}
	if err := json.Unmarshal([]byte(p.blocks), &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Type == "image" {
			file, alt = b.File.ID, b.Alt
		}
	}
	return file, alt
}

// notify sends a message and returns its receipt.
func notify(t *testing.T, n *slack.Notifier, m alerts.Message) string {
	t.Helper()
	r, err := n.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPicture follows a card and its picture through the case's life.
func TestPicture(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n, log := loggingNotifier(t, f, nil)
	m := inCase(vendor(), nil)
	m.Receipt = notify(t, n, m)
	calls, posts, forms := f.state()
	if want := []string{"chat.postMessage", "files.getUploadURLExternal", "upload", "files.completeUploadExternal", "chat.update"}; !slices.EqualFunc(calls, want, strings.Contains) {
		t.Fatalf("calls %q", calls)
	}
	file, alt := imageOf(t, posts[stamp(1)])
	if file != "F2" || !strings.Contains(alt, "412 customers in a quarter-hour, expected 6.2 (0–19): 66 times as much") || forms[1]["alt_txt"] != alt {
		t.Errorf("shows %q, %q; the file's own %q", file, alt, forms[1]["alt_txt"])
	}
	if !strings.HasPrefix(m.Receipt, "C1/"+stamp(1)+"/F2/") {
		t.Fatalf("receipt %q", m.Receipt)
	}

	// Somebody acknowledges it: the picture stays, nothing is uploaded.
	m.Case.Revision, m.Case.State, m.Case.Acknowledged = 2, vigil.CaseAcknowledged, mark("actor-ana", "2026-11-03 11:20")
	if again := notify(t, n, m); again != m.Receipt {
		t.Errorf("receipt %q, was %q", again, m.Receipt)
	}
	calls, posts, _ = f.state()
	if file, _ := imageOf(t, posts[stamp(1)]); file != "F2" || len(calls) != 6 || !strings.Contains(posts[stamp(1)].blocks, "Acknowledged by") {
		t.Errorf("after an edit it shows %q, calls %q", file, calls)
	}

	// It grew a little: still the same picture. It grew a lot: another one.
	for _, tc := range []struct {
		seen float64
		want string
	}{{415, "F2"}, {900, "F3"}, {905, "F3"}} {
		grown := vendor()
		grown.Contributions[0].Seen = tc.seen
		m.Finding = grown
		m.Receipt = notify(t, n, m)
		_, posts, _ = f.state()
		if file, _ := imageOf(t, posts[stamp(1)]); file != tc.want || !strings.Contains(m.Receipt, "/"+tc.want+"/") {
			t.Errorf("with %v seen it shows %q, receipt %q; want %s", tc.seen, file, m.Receipt, tc.want)
		}
	}

	// Deleted by somebody: the new card gets a picture again.
	f.forget()
	r := notify(t, n, m)
	_, posts, _ = f.state()
	for ts, p := range posts {
		if file, _ := imageOf(t, p); file == "" || !strings.HasPrefix(r, "C1/"+ts+"/"+file+"/") {
			t.Errorf("posted anew it shows %q, receipt %q", file, r)
		}
	}
	if strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log warns: %s", log)
	}
}

// TestPictureRefused: Slack takes its time with a file. The card stands at once, the
// picture comes with a second request, with the next revision, or else in the thread.
func TestPictureRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		unready      int
		states       []string // the end of the receipt after each of three revisions
		shown        []bool
		shared, pics int
	}{
		{1, []string{"", "", ""}, []bool{true, true, true}, 0, 1},
		{2, []string{"refused", "", ""}, []bool{false, true, true}, 0, 1},
		{3, []string{"refused", "thread", "thread"}, []bool{false, false, false}, 1, 2},
	} {
		t.Run(fmt.Sprint(tc.unready), func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.unready = tc.unready
			n := newNotifier(t, f, nil)
			m := inCase(vendor(), nil)
			for i, want := range tc.states {
				m.Receipt = notify(t, n, m)
				p := strings.Split(m.Receipt, "/")
				state := ""
				if len(p) == 5 {
					state = p[4]
				}
				_, posts, _ := f.state()
				if file, _ := imageOf(t, posts[stamp(1)]); state != want || (file != "") != tc.shown[i] || len(posts) != 1 {
					t.Errorf("revision %d: receipt %q, shows %q, %d posts", i+1, m.Receipt, file, len(posts))
				}
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(f.shared) != tc.shared || len(f.files) != tc.pics {
				t.Errorf("shared %v, %d files", f.shared, len(f.files))
			}
			for _, where := range f.shared {
				if where != "C1/"+stamp(1) {
					t.Errorf("shared in %q", where)
				}
			}
		})
	}
}

// TestPictureFails: whatever happens to the picture, the card is delivered.
func TestPictureFails(t *testing.T) {
	t.Parallel()
	reset := func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			c.Close()
		}
	}
	ok := func(body string) http.HandlerFunc { return answer("application/json", body) }
	for _, tc := range []struct {
		name, method string
		handle       http.HandlerFunc
		says         string
	}{
		{"no scope", "files.getUploadURLExternal", ok(`{"ok":false,"error":"missing_scope","needed":"files:write"}`), "files:write"},
		{"no files in this workspace", "files.getUploadURLExternal", says("file_uploads_disabled"), "slack.no_pictures"},
		{"limited", "files.getUploadURLExternal", status(429, "Retry-After", "30"), "429"},
		{"500", "files.getUploadURLExternal", status(500), "500"},
		{"html", "files.getUploadURLExternal", answer("text/html", "<html>"+canary), "can't be read"},
		{"empty", "files.getUploadURLExternal", ok(`{"ok":true}`), "went"},
		{"another's address", "files.getUploadURLExternal", ok(`{"ok":true,"upload_url":"https://evil.example/upload/F9?token=canary","file_id":"F9"}`), "address"},
		{"reset", "files.getUploadURLExternal", reset, "can't be reached"},
		{"upload fails", "upload", status(500), "500"},
		{"upload resets", "upload", reset, "can't be reached"},
		{"not completed", "files.completeUploadExternal", says("file_not_found"), "file_not_found"},
		{"no file", "files.completeUploadExternal", ok(`{"ok":true,"files":[]}`), "went"},
		{"odd file", "files.completeUploadExternal", ok(`{"ok":true,"files":[{"id":"<!channel>"}]}`), "names no file"},
		{"edit limited", "chat.update", says("ratelimited"), "ratelimited"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			if tc.method == "upload" {
				for i := range 9 {
					f.of[fmt.Sprintf("/upload/F%d", i)] = tc.handle
				}
			} else {
				f.of[tc.method] = tc.handle
			}
			n, log := loggingNotifier(t, f, nil)
			r := notify(t, n, inCase(vendor(), nil))
			if _, posts, _ := f.state(); len(posts) != 1 || !strings.HasPrefix(r, "C1/"+stamp(1)) {
				t.Fatalf("receipt %q, %d posts", r, len(posts))
			}
			if tc.says != "went" && !strings.Contains(log.String(), tc.says) || !strings.Contains(log.String(), "goes without its picture") {
				t.Errorf("the log says %s", log)
			}
			// It is not tried with each card, and not said again.
			before, _, _ := f.state()
			for range 2 {
				notify(t, n, inCase(export(), func(c *vigil.Case) { c.ID = "case-2" }))
			}
			after, _, _ := f.state()
			if len(after) != len(before)+2 || strings.Count(log.String(), "goes without its picture") != 1 {
				t.Errorf("calls %q, log %s", after, log)
			}
		})
	}
}

func TestNoPictures(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, func(c *slack.Config) { c.NoPictures = true })
	m := inCase(vendor(), nil)
	m.Receipt = notify(t, n, m)
	notify(t, n, m)
	if calls, _, _ := f.state(); len(calls) != 2 || m.Receipt != "C1/"+stamp(1) {
		t.Errorf("calls %q, receipt %q", calls, m.Receipt)
	}
}

// TestReceipts: what is kept of a message is read back as it was, and what makes no
// sense leads to a new message, never to an edit of another.
func TestReceipts(t *testing.T) {
	t.Parallel()
	for _, r := range []string{"C1/1.2", "C1/1762160000.000001/F1/0a1b2c3d", "C1/1.2/F1/0a1b2c3d/refused", "C1/1.2/F1/0a1b2c3d/thread"} {
		if got := slack.ParsedReceipt(r); got != r {
			t.Errorf("%q is read as %q", r, got)
		}
	}
	for _, r := range []string{"", "C1", "/1", "C1/", "C1/x", "C1/1.2/", "C1/1.2/F1", "C1/1.2//0a", "C1/1.2/F1/", "C1/1.2/F1/0a/shown", "C1/1.2/F1/0a/", "C1/1.2/<F>/0a", "C1/1.2/F1/0a/thread/x", strings.Repeat("C", 200) + "/1.2"} {
		if got := slack.ParsedReceipt(r); got != "" {
			t.Errorf("%q is read as %q", r, got)
		}
	}
}

// TestTimeline: what is known of a case over time is in its picture.
func TestTimeline(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n, err := slack.New(slack.Config{Token: canary, Channel: "C1", APIURL: f.URL + "/api"}, slack.Options{
		Timeline: func(ctx context.Context, fd *vigil.Finding) *picture.Timeline {
			if _, bounded := ctx.Deadline(); !bounded || fd.ID != vendor().ID {
				t.Errorf("asked about %q, bounded %v", fd.ID, bounded)
			}
			return &picture.Timeline{Label: "Customers in an hour", From: at("2026-11-03 00:00"), Span: time.Hour, Counts: []float64{3, 0, 1500, 600}, High: 60}
		}})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, n, inCase(vendor(), nil))
	_, posts, _ := f.state()
	if _, alt := imageOf(t, posts[stamp(1)]); !strings.Contains(alt, "Customers in an hour from Tue 3 Nov 2026, 00:00 UTC") || !strings.Contains(alt, "at most 1,500 at Tue 3 Nov 2026, 02:00 UTC") {
		t.Errorf("alt text %q", alt)
	}
}
