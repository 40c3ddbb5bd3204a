package email_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	smtpserver "github.com/emersion/go-smtp"

	"vigil/alerts/email"
)

const (
	canary = "canary-2718281828459045"
	user   = "vigil@acme.example"
)

// certificate makes one for 127.0.0.1 and writes it to a file. Its time is past when it
// has expired.
func certificate(t *testing.T, expired bool) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	if expired {
		until = time.Now().Add(-time.Minute)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.acme.example"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// received is one mail as the server got it.
type received struct {
	from string
	to   []string
	data string
	tls  bool
	user string
}

// post is a mail server that keeps what it gets.
type post struct {
	host, caFile string
	port         int
	mechanisms   []string

	mu    sync.Mutex // guards all below
	mails []received
	// refuse names recipients and the error they get.
	refuse map[string]error
}

func (p *post) take() []received {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.mails
	p.mails = nil
	return out
}

// start runs the server: implicit TLS, or STARTTLS, or none.
func start(t *testing.T, security string) *post {
	t.Helper()
	p := &post{mechanisms: []string{sasl.Plain, sasl.Login}, refuse: map[string]error{}}
	cert, file := certificate(t, false)
	p.caFile = file
	s := smtpserver.NewServer(smtpserver.BackendFunc(func(c *smtpserver.Conn) (smtpserver.Session, error) {
		return &session{post: p, conn: c}, nil
	}))
	s.Domain = "mail.acme.example"
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.host, p.port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	switch security {
	case email.SecurityTLS:
		l = tls.NewListener(l, cfg)
	case email.SecurityStartTLS:
		s.TLSConfig = cfg
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		l.Close() // a server that is closed before it serves would wait at it for ever
		<-ended
	})
	return p
}

type session struct {
	post *post
	conn *smtpserver.Conn
	mail received
}

func (s *session) AuthMechanisms() []string { return s.post.mechanisms }

func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(username, password string) error {
		if username != user || password != canary {
			return &smtpserver.SMTPError{Code: 535, EnhancedCode: smtpserver.EnhancedCode{5, 7, 8}, Message: "no such user, or not by " + password}
		}
		s.mail.user = username
		return nil
	}
	if mech == sasl.Login {
		return &login{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return check(username, password) }), nil
}

// login is the server's part of LOGIN, which the library has for clients only.
type login struct {
	check func(user, password string) error
	at    int
	user  string
}

func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	l.at++
	switch l.at {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

func (s *session) Reset()        { s.mail.from, s.mail.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtpserver.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtpserver.RcptOptions) error {
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	if err := s.post.refuse[to]; err != nil {
		return err
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.mail
	m.data = string(b)
	_, m.tls = s.conn.TLSConnectionState()
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.post.mails = append(s.post.mails, m)
	return nil
}

// script is a server that says what it is told: lines[0] as a greeting, and each next
// one after a command, whose beginning stands before " > ". What has no line is 250.
func script(t *testing.T, greeting string, answers map[string]string) (host string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				talk(conn, greeting, answers)
			})
		}
	})
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// What a scripted server does instead of an answer.
const (
	hangs    = "(hangs)"
	closes   = "(closes)"
	babbles  = "(babbles)"
	farewell = "QUIT"
)

func talk(conn net.Conn, greeting string, answers map[string]string) {
	r := bufio.NewReader(conn)
	say := func(s string) bool {
		switch s {
		case hangs:
			_, _ = io.Copy(io.Discard, r)
			return false
		case closes:
			_ = conn.(*net.TCPConn).SetLinger(0)
			return false
		case babbles:
			for {
				if _, err := conn.Write([]byte(strings.Repeat("x", 64<<10))); err != nil {
					return false
				}
			}
		}
		_, err := fmt.Fprint(conn, s, "\r\n")
		return err == nil
	}
	if !say(greeting) {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		answer, ok := answers[verb]
		switch {
		case ok:
		case verb == "DATA":
			answer = "354 go on"
		case verb == "EHLO":
			answer = "250-mail.acme.example\r\n250 8BITMIME"
		case verb == farewell:
			answer = "221 bye"
		default:
			answer = "250 ok"
		}
		if !say(answer) {
			return
		}
		if verb == "DATA" && strings.HasPrefix(answer, "354") {
			for line != ".\r\n" {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
			}
			end, ok := answers["."]
			if !ok {
				end = "250 queued"
			}
			if !say(end) {
				return
			}
		}
	}
}
