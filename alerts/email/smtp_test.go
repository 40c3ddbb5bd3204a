package email_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/email"
)

func TestAuth(t *testing.T) {
	t.Parallel()
	for _, mechanisms := range [][]string{{"PLAIN"}, {"LOGIN"}, {"LOGIN", "PLAIN"}} {
		p := start(t, email.SecurityStartTLS)
		p.mechanisms = mechanisms
		n := notifier(t, config(p, email.SecurityStartTLS))
		if err := n.Check(t.Context()); err != nil {
			t.Errorf("%v: %v", mechanisms, err)
		}
		if got := p.take(); len(got) != 0 {
			t.Errorf("%v: to check sends %d mails", mechanisms, len(got))
		}
		cfg := config(p, email.SecurityStartTLS)
		cfg.Password = canary + "-wrong"
		n = notifier(t, cfg)
		for _, err := range []error{n.Check(t.Context()), second(n.Notify(t.Context(), alertstest.Samples()["vendor"]))} {
			var refused *alerts.RefusedError
			if !errors.As(err, &refused) || !refused.All || !strings.Contains(err.Error(), "email.password") || strings.Contains(err.Error(), canary) {
				t.Errorf("%v: %v", mechanisms, err)
			}
		}
	}
	p := start(t, email.SecurityStartTLS)
	p.mechanisms = []string{"GSSAPI"}
	var refused *alerts.RefusedError
	if err := notifier(t, config(p, email.SecurityStartTLS)).Check(t.Context()); !errors.As(err, &refused) || !refused.All {
		t.Errorf("%v", err)
	}
}

func second(_ string, err error) error { return err }

func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, security := range []string{email.SecurityStartTLS, email.SecurityTLS} {
		p := start(t, security)
		_, other := certificate(t, false)
		for name, tc := range map[string]struct {
			change func(*email.Config)
			says   string
		}{
			"unknown authority": {func(c *email.Config) { c.CAFile = other }, "certificate"},
			"the system's":      {func(c *email.Config) { c.CAFile = "" }, "ca_file"},
			"another name":      {func(c *email.Config) { c.Host = "localhost" }, "not valid"},
		} {
			cfg := config(p, security)
			tc.change(&cfg)
			n := notifier(t, cfg)
			for _, err := range []error{n.Check(t.Context()), second(n.Notify(t.Context(), alertstest.Samples()["vendor"]))} {
				var retry *alerts.RetryError
				if !errors.As(err, &retry) || retry.InDoubt || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("%s, %s: %v", security, name, err)
				}
			}
		}
		if got := p.take(); len(got) != 0 {
			t.Errorf("%d mails were sent all the same", len(got))
		}
	}
	// TLS where there is STARTTLS, and the other way round.
	cfg := config(start(t, email.SecurityStartTLS), email.SecurityTLS)
	if err := notifier(t, cfg).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "starttls") {
		t.Errorf("%v", err)
	}
	cfg = config(start(t, email.SecurityNone), email.SecurityStartTLS)
	var refused *alerts.RefusedError
	if err := notifier(t, cfg).Check(t.Context()); !errors.As(err, &refused) || !refused.All || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("%v", err)
	}
}

// TestMisbehaviour: each becomes the right error, and the server is left in time.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	const hello = "220 mail.acme.example"
	for _, tc := range []struct {
		name, greeting string
		answers        map[string]string
		refused, all   bool
		doubt          bool
	}{
		{name: "421 at once", greeting: "421 too busy"},
		{name: "554 at once", greeting: "554 go away", refused: true, all: true},
		{name: "no greeting", greeting: hangs},
		{name: "closed at once", greeting: closes},
		{name: "not SMTP", greeting: "HTTP/1.1 400 Bad Request"},
		{name: "endless greeting", greeting: babbles},
		{name: "450 sender", greeting: hello, answers: map[string]string{"MAIL": "450 later"}},
		{name: "550 sender", greeting: hello, answers: map[string]string{"MAIL": "550 not you"}, refused: true, all: true},
		{name: "530 sign in", greeting: hello, answers: map[string]string{"MAIL": "530 5.7.0 Authentication required"}, refused: true, all: true},
		{name: "421 recipient", greeting: hello, answers: map[string]string{"RCPT": "421 shutting down"}},
		{name: "451 recipient", greeting: hello, answers: map[string]string{"RCPT": "451 greylisted"}},
		{name: "550 recipient", greeting: hello, answers: map[string]string{"RCPT": "550 5.1.1 no such user"}, refused: true, all: true},
		{name: "452 data", greeting: hello, answers: map[string]string{"DATA": "452 full"}},
		{name: "451 after data", greeting: hello, answers: map[string]string{".": "451 try again"}},
		{name: "552 after data", greeting: hello, answers: map[string]string{".": "552 too big"}, refused: true},
		{name: "554 after data", greeting: hello, answers: map[string]string{".": "554 looks like spam\r\n"}, refused: true},
		{name: "hangs after data", greeting: hello, answers: map[string]string{".": hangs}, doubt: true},
		{name: "closed after data", greeting: hello, answers: map[string]string{".": closes}, doubt: true},
		{name: "endless after data", greeting: hello, answers: map[string]string{".": babbles}, doubt: true},
		{name: "many lines", greeting: hello, answers: map[string]string{"RCPT": "550-\x1b[31mred\r\n550-two\r\n550 " + strings.Repeat("z", 5000)}, refused: true, all: true},
		{name: "hangs at farewell is no matter", greeting: hello, answers: map[string]string{farewell: closes}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host, port := script(t, tc.greeting, tc.answers)
			cfg := email.Config{Host: host, Port: port, Security: email.SecurityNone, From: "vigil@acme.example", To: []string{"soc@acme.example"}, Timeout: 20 * time.Second}
			if strings.Contains(fmt.Sprint(tc), hangs) {
				cfg.Timeout = 500 * time.Millisecond
			}
			receipt, err := notifier(t, cfg).Notify(t.Context(), alertstest.Samples()["vendor"])
			if strings.HasSuffix(tc.name, "no matter") {
				if err != nil || receipt == "" {
					t.Errorf("%q, %v", receipt, err)
				}
				return
			}
			var refused *alerts.RefusedError
			var retry *alerts.RetryError
			switch {
			case receipt != "" || err == nil:
				t.Fatalf("%q, %v", receipt, err)
			case tc.refused:
				if !errors.As(err, &refused) || refused.All != tc.all || refused.Remedy == "" {
					t.Errorf("%#v", err)
				}
			case !errors.As(err, &retry) || retry.InDoubt != tc.doubt:
				t.Errorf("%#v", err)
			}
			if text := err.Error(); len(text) > 800 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q", text)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		p := start(t, email.SecurityNone)
		cfg := config(p, email.SecurityNone)
		cfg.Host, cfg.Port = "127.0.0.1", 1
		var retry *alerts.RetryError
		if err := notifier(t, cfg).Check(t.Context()); !errors.As(err, &retry) || retry.InDoubt {
			t.Errorf("%v", err)
		}
		cfg.Host = "169.254.169.254"
		var refused *alerts.RefusedError
		if err := notifier(t, cfg).Check(t.Context()); !errors.As(err, &refused) || !refused.All {
			t.Errorf("%v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		host, port := script(t, hello, map[string]string{"MAIL": hangs})
		n := notifier(t, email.Config{Host: host, Port: port, Security: email.SecurityNone, From: "vigil@acme.example", To: []string{"soc@acme.example"}, Timeout: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		var retry *alerts.RetryError
		if _, err := n.Notify(ctx, alertstest.Samples()["vendor"]); !errors.As(err, &retry) || time.Since(began) > 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
