package email_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	smtpserver "github.com/emersion/go-smtp"
	"golang.org/x/net/html"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/email"
)

func config(p *post, security string) email.Config {
	cfg := email.Config{Host: p.host, Port: p.port, Security: security, From: "vigil <vigil@acme.example>", To: []string{"soc@acme.example", "On call <oncall@acme.example>"},
		CAFile: p.caFile, ConsoleURL: alertstest.Console, Hello: "vigil.acme.example"}
	if security != email.SecurityNone {
		cfg.Username, cfg.Password = user, canary
	}
	return cfg
}

// notifier makes one, and fails the test when its log tells the password.
func notifier(t *testing.T, cfg email.Config) *email.Notifier {
	t.Helper()
	var log strings.Builder
	var mu sync.Mutex
	n, err := email.New(cfg, email.Options{Logger: slog.New(slog.NewTextHandler(writer(func(p []byte) { mu.Lock(); defer mu.Unlock(); log.Write(p) }), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(log.String(), canary) {
			t.Errorf("the log tells the password: %s", log.String())
		}
	})
	return n
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// parsed is a mail as a mail program reads it.
type parsed struct {
	header     mail.Header
	subject    string
	text, html string
}

func parse(t testing.TB, data string) parsed {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	p := parsed{header: m.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e := part.Header.Get("Content-Transfer-Encoding"); e != "quoted-printable" {
			t.Fatalf("encoding %q", e)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			p.html = string(b)
		} else {
			p.text = strings.ReplaceAll(string(b), "\r\n", "\n")
		}
	}
	return p
}

// headers are those that a mail of ours may have.
var headers = []string{"Auto-Submitted", "Content-Type", "Date", "From", "Importance", "In-Reply-To", "List-Id", "Message-Id", "Mime-Version", "Priority", "References",
	"Subject", "To", "X-Auto-Response-Suppress", "X-Msmail-Priority", "X-Priority"}

// harmless looks for what an attacker's words might have become.
func harmless(t testing.TB, name string, p parsed) {
	t.Helper()
	for h := range p.header {
		if !slices.Contains(headers, h) {
			t.Errorf("%s: the mail has a header %s: %q", name, h, p.header.Get(h))
		}
	}
	if to := p.header.Get("To"); to != `<soc@acme.example>, "On call" <oncall@acme.example>` {
		t.Errorf("%s: it goes to %s", name, to)
	}
	for _, text := range []string{p.subject, p.text} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: an invisible character: %q", name, text[i:min(len(text), i+12)])
		}
		if strings.Contains(strings.ReplaceAll(text, alertstest.Console, ""), "://") {
			t.Errorf("%s: there is a link in %q", name, text)
		}
	}
	z := html.NewTokenizer(strings.NewReader(p.html))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if !slices.Contains(strings.Fields("html head meta title style body table tr td a div span b br"), tok.Data) {
				t.Errorf("%s: the mail has an element <%s>", name, tok.Data)
			}
			for _, a := range tok.Attr {
				if !slices.Contains(strings.Fields("lang charset name content role class width height cellpadding cellspacing style align valign href"), a.Key) {
					t.Errorf("%s: the mail has an attribute %s=%q", name, a.Key, a.Val)
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, alertstest.Console+"/") {
					t.Errorf("%s: the mail has a link to %q", name, a.Val)
				}
				if a.Key == "style" && strings.Contains(a.Val, "url(") {
					t.Errorf("%s: the mail loads something: %q", name, a.Val)
				}
			}
		case html.TextToken:
			text := z.Token().Data
			if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\u00a0' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%s: an invisible character in the HTML: %q", name, text[i:min(len(text), i+12)])
			}
		}
	}
}

// letters keeps letters and digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// TestTells: each message arrives, by each way of securing the connection.
func TestTells(t *testing.T) {
	t.Parallel()
	for _, security := range []string{email.SecurityStartTLS, email.SecurityTLS, email.SecurityNone} {
		t.Run(security, func(t *testing.T) {
			t.Parallel()
			p := start(t, security)
			n := notifier(t, config(p, security))
			samples := alertstest.Samples()
			names := slices.Sorted(maps.Keys(samples))
			if security != email.SecurityStartTLS {
				names = []string{"case-new", "hostile-case", "digest"}
			}
			for _, name := range names {
				m := samples[name]
				receipt, err := n.Notify(t.Context(), m)
				if err != nil || receipt == "" {
					t.Fatalf("%s: %q, %v", name, receipt, err)
				}
				got := p.take()
				if len(got) != 1 {
					t.Fatalf("%s: %d mails", name, len(got))
				}
				if g := got[0]; g.from != "vigil@acme.example" || !slices.Equal(g.to, []string{"oncall@acme.example", "soc@acme.example"}) || g.tls != (security != email.SecurityNone) || g.tls && g.user != user {
					t.Errorf("%s: from %s to %s, tls %v, user %q", name, g.from, g.to, g.tls, g.user)
				}
				mail := parse(t, got[0].data)
				harmless(t, name, mail)
				card := alerts.CardOf(m, alertstest.Console)
				for _, part := range []string{mail.text, mail.html} {
					if !strings.Contains(letters(html.UnescapeString(part)), letters(card.Title)) {
						t.Errorf("%s: the title %q is missing in %s", name, card.Title, part)
					}
				}
				if (card.Link != "") != strings.Contains(mail.text, alertstest.Console) {
					t.Errorf("%s: link %q in %s", name, card.Link, mail.text)
				}
			}
		})
	}
}

// TestInjections: an attacker's words in every field stay words.
func TestInjections(t *testing.T) {
	t.Parallel()
	p := start(t, email.SecurityNone)
	n := notifier(t, config(p, email.SecurityNone))
	for i, text := range alertstest.Injections() {
		for _, m := range []alerts.Message{
			alertstest.Message(alertstest.Evil(text)),
			{ID: text, Kind: alerts.KindNotice, Notice: &alerts.Notice{Title: text, Sentence: text, Lines: []string{text}}, Link: text},
		} {
			if _, err := n.Notify(t.Context(), m); err != nil {
				t.Errorf("%d: %v", i, err)
				continue
			}
			got := p.take()
			if len(got) != 1 {
				t.Fatalf("%d: %d mails", i, len(got))
			}
			harmless(t, fmt.Sprint(i, " ", m.Kind), parse(t, got[0].data))
		}
	}
}

// TestThread: a case is one thread of few mails.
func TestThread(t *testing.T) {
	t.Parallel()
	p := start(t, email.SecurityNone)
	n := notifier(t, config(p, email.SecurityNone))
	story, receipt := alertstest.Story(), ""
	var root, first string
	for i, want := range []string{"", "-", "now critical", "acknowledged", "resolved; judged breach"} {
		name := alertstest.Chapters[i]
		m := story[name]
		m.Receipt = receipt
		next, err := n.Notify(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		got := p.take()
		if want == "-" {
			if len(got) != 0 || next != receipt {
				t.Errorf("%s: %d mails, receipt %q after %q", name, len(got), next, receipt)
			}
			continue
		}
		if len(got) != 1 {
			t.Fatalf("%s: %d mails", name, len(got))
		}
		mail := parse(t, got[0].data)
		id, refs := mail.header.Get("Message-ID"), mail.header.Get("References")
		if i == 0 {
			root, first = id, mail.subject
			if refs != "" || strings.Contains(mail.text, "New:") || mail.header.Get("Importance") != "" {
				t.Errorf("%s: %v\n%s", name, mail.header, mail.text)
			}
		} else if id == root || refs != root || mail.header.Get("In-Reply-To") != root || mail.subject != "Re: "+first ||
			!strings.Contains(mail.text, "New: "+want+".") || !strings.Contains(mail.html, want) || mail.header.Get("Importance") != "high" {
			t.Errorf("%s: %v\n%s", name, mail.header, mail.text)
		}
		if mail.header.Get("Auto-Submitted") != "auto-generated" || mail.header.Get("List-Id") != "vigil alerts <alerts.vigil.acme.example>" {
			t.Errorf("%v", mail.header)
		}
		// The same again, as after a crash: the same Message-ID.
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if again := p.take(); len(again) != 1 || parse(t, again[0].data).header.Get("Message-ID") != id {
			t.Errorf("%s: the repetition has another Message-ID", name)
		}
		receipt = next
	}
	// A reply stands below its case.
	reply := alertstest.Samples()["reply"]
	reply.Parent = receipt
	if _, err := n.Notify(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	if got := p.take(); len(got) != 1 || parse(t, got[0].data).header.Get("References") != root {
		t.Error("the reply is not in the thread")
	}
	// A receipt of another channel or case is none.
	m := story["case-new"]
	for _, r := range []string{"C1/1710000000.000100", `{"v":1,"thread":"other"}`, "\x00"} {
		m.Receipt = r
		if _, err := n.Notify(t.Context(), m); err != nil || len(p.take()) != 1 {
			t.Errorf("receipt %q: %v", r, err)
		}
	}
}

// TestRecipients: one that the server does not take keeps no mail from the others.
func TestRecipients(t *testing.T) {
	t.Parallel()
	p := start(t, email.SecurityNone)
	n := notifier(t, config(p, email.SecurityNone))
	p.refuse["soc@acme.example"] = &smtpserver.SMTPError{Code: 550, EnhancedCode: smtpserver.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	if _, err := n.Notify(t.Context(), alertstest.Samples()["vendor"]); err != nil {
		t.Fatal(err)
	}
	if got := p.take(); len(got) != 1 || !slices.Equal(got[0].to, []string{"oncall@acme.example"}) {
		t.Errorf("%+v", got)
	}
	p.mu.Lock()
	p.refuse["oncall@acme.example"] = p.refuse["soc@acme.example"]
	p.mu.Unlock()
	_, err := n.Notify(t.Context(), alertstest.Samples()["vendor"])
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) || !refused.All || !strings.Contains(err.Error(), "email.to") {
		t.Errorf("%v", err)
	}
	p.mu.Lock()
	p.refuse["oncall@acme.example"] = &smtpserver.SMTPError{Code: 450, EnhancedCode: smtpserver.EnhancedCode{4, 2, 0}, Message: "come again"}
	p.refuse["soc@acme.example"] = p.refuse["oncall@acme.example"]
	p.mu.Unlock()
	_, err = n.Notify(t.Context(), alertstest.Samples()["vendor"])
	var retry *alerts.RetryError
	if !errors.As(err, &retry) || retry.InDoubt {
		t.Errorf("%v", err)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	p := start(t, email.SecurityStartTLS)
	n := notifier(t, config(p, email.SecurityStartTLS))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := n.Notify(t.Context(), alertstest.Samples()["hostile-case"]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := p.take(); len(got) != 6 {
		t.Errorf("%d mails", len(got))
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := email.Config{Host: "mail.acme.example", Username: user, Password: canary, From: "vigil@acme.example", To: []string{"soc@acme.example"}}
	n, err := email.New(good, email.Options{})
	if err != nil || n.Name() != "email" || n.Pace() <= 0 {
		t.Fatal(err)
	}
	for i, change := range []func(*email.Config){
		func(c *email.Config) { c.Host = "" },
		func(c *email.Config) { c.Host = "mail.acme.example:25/x" },
		func(c *email.Config) { c.Host = "mail\r\nHELO x" },
		func(c *email.Config) { c.Port = 70000 },
		func(c *email.Config) { c.Port = -1 },
		func(c *email.Config) { c.Security = "ssl" },
		func(c *email.Config) { c.Security = email.SecurityNone },
		func(c *email.Config) { c.Password = "" },
		func(c *email.Config) { c.Username = "" },
		func(c *email.Config) { c.Password += "\r\n" },
		func(c *email.Config) { c.From = "" },
		func(c *email.Config) { c.From = "vigil" },
		func(c *email.Config) { c.From = "a@acme.example, b@acme.example" },
		func(c *email.Config) { c.To = nil },
		func(c *email.Config) { c.To = []string{"soc@acme.example\r\nBcc: x@evil.example"} },
		func(c *email.Config) { c.To = []string{"<soc@acme.example> SIZE=1"} },
		func(c *email.Config) { c.To = []string{`"a b"@acme.example`} },
		func(c *email.Config) { c.To = slices.Repeat([]string{"soc@acme.example"}, 51) },
		func(c *email.Config) { c.Hello = "a b" },
		func(c *email.Config) { c.Timeout = -1 },
		func(c *email.Config) { c.Timeout = time.Hour },
		func(c *email.Config) { c.CAFile = "/nowhere" },
	} {
		cfg := good
		change(&cfg)
		if _, err := email.New(cfg, email.Options{}); err == nil || strings.Contains(err.Error(), canary) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%d: %v", i, err)
		}
	}
	js, _ := json.Marshal(good)
	if all := fmt.Sprintf("%v %+v %#v %s", good, good, good, js); strings.Contains(all, canary) || bytes.Contains(js, []byte(canary)) {
		t.Errorf("the password shows: %s", all)
	}
}

func splitLines(s string) []string { return strings.Split(s, "\r\n") }
