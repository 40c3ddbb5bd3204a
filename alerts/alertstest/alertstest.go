// Package alertstest has messages of every kind, and the one suite that each notifier
// over HTTP must pass: that it tells all of them, with an attacker's words in all fields;
// that another revision does what it says it does; that each misbehaviour of its service
// becomes the right error; that it ends when its context does; that it may be called
// concurrently; and that no error or log line tells its secret.
//
// Tests call Run. Channels that speak something else take Samples and Injections.
package alertstest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"vigil/alerts"
)

// Revisions says what a channel does with a case's later revisions.
type Revisions int

// What a channel does with them.
const (
	// Edits puts each revision in the place of the one before.
	Edits Revisions = iota
	// Notable tells only those that are graver or that people brought about, as news;
	// of the others it sends nothing and returns the old receipt.
	Notable
	// Appends sends each, as to a machine.
	Appends
)

// Suite is what is tried of one channel.
type Suite struct {
	// Name is what the notifier's Name must be.
	Name string
	// Handler is the channel's service as it behaves when it is well, with a memory of
	// its own.
	Handler func(t testing.TB) http.Handler
	// New makes the notifier that speaks to s, with Canary for its secret and Console
	// for the console's address. It should close in t.Cleanup what it opened.
	New func(t testing.TB, s *Server) alerts.Notifier
	// Shown returns what people will see of a request, without the form's marks and
	// escapes, and the addresses that they could open by it. Nil takes all strings of
	// a JSON body.
	Shown func(t testing.TB, r Request) (text string, links []string)
	// Revisions says what it does with later revisions. For Edits, Held counts the
	// messages that the service holds.
	Revisions Revisions
	Held      func(service http.Handler) int
	// Reads says that the channel needs what the answer says, so that a page in the
	// place of the answer is an error.
	Reads bool
	// Machine says that what is sent is for a program, to whom invisible characters do
	// nothing.
	Machine bool
	// Untold are the kinds of message that the channel does not tell: Notify sends
	// nothing and returns no error.
	Untold []string
	// Minor are the names of samples that the channel does not tell either, such as
	// notices that are no alarm.
	Minor []string
	// Title is what must be shown of a message; nil takes its card's title.
	Title func(m alerts.Message) string
	// Leave names faults which this channel takes differently, and says why; its own
	// tests try them.
	Leave map[string]string
	// Refusals are answers of the service by which it refuses for good.
	Refusals []Refusal
}

// Refusal is an answer by which a service refuses, and what the error must say.
type Refusal struct {
	Name   string
	Answer http.HandlerFunc
	// All says that all messages are refused, Remedy is a part of what the error says.
	All    bool
	Remedy string
}

// Run tries everything, in parallel.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Parallel()
	if s.Shown == nil {
		s.Shown = Strings
	}
	for name, try := range map[string]func(*testing.T, Suite){
		"tells": tells, "revisions": revisions, "faults": runFaults, "refused": refusals, "redirect": redirect, "endless answer": endlessIsCut,
		"ends": ends, "concurrent": concurrent, "links": links, "found": found, "injections": injections,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, s)
		})
	}
}

// start makes a server and a notifier on it.
func start(t *testing.T, s Suite) (*Server, http.Handler, alerts.Notifier) {
	t.Helper()
	service := s.Handler(t)
	srv := newServer(t, service)
	n := s.New(t, srv)
	if n.Name() != s.Name {
		t.Errorf("the notifier's name is %q, want %q", n.Name(), s.Name)
	}
	return srv, service, n
}

// fits looks at an error's text.
func fits(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.Contains(text, Canary) || len(text) > 1000 || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("the error is not fit to be shown: %q", text)
	}
}

// tells: each sample arrives, and shows its title.
func tells(t *testing.T, s Suite) {
	t.Helper()
	srv, _, n := start(t, s)
	samples := Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		m := samples[name]
		if _, ok := n.(alerts.Finder); ok {
			srv, _, n = start(t, s) // it would find what another sample says of the same case
		}
		srv.Requests()
		_, err := n.Notify(t.Context(), m)
		got := srv.Requests()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if slices.Contains(s.Untold, m.Kind) || slices.Contains(s.Minor, name) {
			if len(got) > 0 {
				t.Errorf("%s: %d requests for what is not to be told", name, len(got))
			}
			continue
		}
		if threader, ok := n.(alerts.Threader); m.Kind == alerts.KindReply && (!ok || !threader.Threads()) {
			continue // it is not given any, and only must not break
		}
		// Of what is over at first sight, or is only brought up to date, less may be said.
		card := alerts.CardOf(m, Console)
		title := card.Title
		if s.Title != nil {
			title = s.Title(m)
		}
		late := card.Closed || m.Case != nil && m.Case.State != "new"
		if len(got) == 0 && !late {
			t.Errorf("%s: nothing was sent", name)
		}
		s.look(t, name, got)
		if !late && len(got) > 0 && !slices.ContainsFunc(got, func(r Request) bool {
			text, _ := s.Shown(t, r) // what is not shown is an empty text
			return strings.Contains(letters(text), first(letters(title), 30))
		}) {
			t.Errorf("%s: the title %q is not shown", name, title)
		}
	}
}

// look tells what must not be in any request.
func (s Suite) look(t *testing.T, name string, got []Request) {
	t.Helper()
	for _, r := range got {
		text, links := s.Shown(t, r)
		for _, l := range links {
			if u, err := url.Parse(l); err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Contains(l, "evil.example") {
				t.Errorf("%s: the link %q can be opened", name, l)
			}
		}
		if i := strings.IndexFunc(text, func(c rune) bool {
			return c != '\n' && !unicode.IsPrint(c) && c != unicode.ReplacementChar
		}); i >= 0 && !s.Machine {
			t.Errorf("%s: an invisible character is shown: %q", name, first(text[i:], 20))
		}
	}
}

// letters keeps letters and digits, so that escapes and forms make no difference.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func first(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

// revisions goes through a case's story.
func revisions(t *testing.T, s Suite) {
	t.Helper()
	srv, service, n := start(t, s)
	if slices.Contains(s.Untold, alerts.KindCase) {
		t.Skip("cases are not told by this channel")
	}
	story, receipt := Story(), ""
	for _, name := range Chapters {
		m := story[name]
		m.Receipt = receipt
		srv.Requests()
		next, err := n.Notify(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sent := len(srv.Requests())
		switch {
		case s.Revisions == Notable && name == "case-grown":
			if sent != 0 || next != receipt {
				t.Errorf("mere growth: %d requests, receipt %q after %q", sent, next, receipt)
			}
		case sent == 0:
			t.Errorf("%s: nothing was sent", name)
		}
		if s.Revisions == Notable {
			// The same again is no news.
			m.Receipt = next
			if again, err := n.Notify(t.Context(), m); err != nil || again != next || len(srv.Requests()) != 0 {
				t.Errorf("%s: the same is told again: receipt %q after %q, %v", name, again, next, err)
			}
		}
		if next == "" && s.Revisions != Appends {
			t.Errorf("%s: no receipt", name)
		}
		receipt = next
	}
	if s.Revisions == Edits {
		if held := s.Held(service); held != 1 {
			t.Errorf("the service holds %d messages of one case", held)
		}
	}
	// A receipt that is no receipt of this channel must not keep a case from being told.
	m := story["case-new"]
	m.Receipt = "nonsense\n/\\\x00 " + strings.Repeat("x", 300)
	srv.Requests()
	if _, err := n.Notify(t.Context(), m); err != nil || len(srv.Requests()) == 0 {
		t.Errorf("with a receipt that is none: %v", err)
	}
}

func concurrent(t *testing.T, s Suite) {
	t.Helper()
	_, _, n := start(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			f := Vendor()
			f.ID = fmt.Sprintf("f-concurrent-%d", i)
			m := Message(f)
			for range 3 {
				receipt, err := n.Notify(t.Context(), m)
				if err != nil {
					t.Error(err)
				}
				m.Receipt = receipt
			}
		})
	}
	wg.Wait()
}

// links: a message without a link arrives, and a link that would act is left out.
func links(t *testing.T, s Suite) {
	t.Helper()
	for _, link := range []string{"", "javascript:alert('evil.example')", "data:text/html,evil.example", "//evil.example/x", "https://user@evil.example/", "vbscript:evil.example", " javascript:evil.example", "file:///evil.example"} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			srv, _, n := start(t, s)
			m := Samples()["case-new"]
			m.Link = link
			if _, err := n.Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			for _, r := range srv.Requests() {
				if strings.Contains(string(r.Body), "evil.example") {
					t.Errorf("the link is sent: %s", r.Body)
				}
			}
		})
	}
}

// found: what was delivered is found, what was not is not.
func found(t *testing.T, s Suite) {
	t.Helper()
	srv, _, n := start(t, s)
	finder, ok := n.(alerts.Finder)
	if !ok {
		t.Skip("the channel can't be searched")
	}
	m := Samples()["case-new"]
	if receipt, err := finder.Find(t.Context(), m); err != nil || receipt != "" {
		t.Errorf("before it was sent: %q, %v", receipt, err)
	}
	want, err := n.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if receipt, err := finder.Find(t.Context(), m); err != nil || receipt != want {
		t.Errorf("found %q, %v, want %q", receipt, err, want)
	}
	other := Samples()["walk"]
	if receipt, err := finder.Find(t.Context(), other); err != nil || receipt != "" {
		t.Errorf("another is found: %q, %v", receipt, err)
	}
	srv.fail(status(503, ""))
	_, err = finder.Find(t.Context(), m)
	check(t, fault{}, err)
}

// injections: each text in every field arrives and does nothing.
func injections(t *testing.T, s Suite) {
	t.Helper()
	srv, _, n := start(t, s)
	for i, text := range Injections() {
		for _, m := range []alerts.Message{Message(Evil(text)), hostileCase(text), reply(text, "note"), notice(text, text, "low", []string{text})} {
			name := fmt.Sprintf("injection %d as %s", i, m.Kind)
			m.ID = fmt.Sprintf("injection-%d-%s", i, m.Kind)
			srv.Requests()
			if _, err := n.Notify(t.Context(), m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			s.look(t, name, srv.Requests())
		}
	}
}
