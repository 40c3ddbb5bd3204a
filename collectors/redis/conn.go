package redis

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// dialTimeout bounds the connecting, and the signing in.
	dialTimeout = 10 * time.Second
	// answerTimeout bounds the wait for an answer, and for a line of MONITOR: PING makes
	// one every pingEvery.
	answerTimeout = 30 * time.Second
	// maxLine bounds a line of MONITOR, maxAnswer any other answer, in bytes.
	maxLine   = 256 << 10
	maxAnswer = 64 << 20
)

// conn speaks RESP, of which these few commands need little.
type conn struct {
	net.Conn
	in *bufio.Reader
	// own is the address by which the server knows the connection.
	own string
}

// serverError is what a server refuses a command with: the first word of its text, which
// tells why. The rest may hold anything.
type serverError struct{ class string }

var className = regexp.MustCompile(`^[A-Z]{1,32}$`)

func (e *serverError) Error() string { return e.class }

// dial connects, signs in and gives the connection its name.
func dial(ctx context.Context, to *target) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d := &net.Dialer{KeepAlive: 15 * time.Second}
	raw, err := d.DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, fmt.Errorf("connect to Redis: %w", err)
	}
	if to.tls != nil {
		secure := tls.Client(raw, to.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			var cert *tls.CertificateVerificationError
			if errors.As(err, &cert) {
				return nil, fmt.Errorf("connect to Redis: the server's certificate is not trusted: name who signed it with tls.ca: %w", err)
			}
			return nil, fmt.Errorf("connect to Redis with TLS: %w", err)
		}
		raw = secure
	}
	c := &conn{Conn: raw, in: bufio.NewReaderSize(raw, 64<<10), own: raw.LocalAddr().String()}
	unhook := context.AfterFunc(ctx, func() { c.Close() })
	if err := c.signIn(to); err != nil {
		c.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("sign in to Redis: the server does not answer: %w", ctx.Err())
		}
		return nil, err
	}
	if !unhook() {
		return nil, fmt.Errorf("sign in to Redis: %w", ctx.Err())
	}
	return c, nil
}

func (c *conn) signIn(to *target) error {
	if to.pass != "" {
		args := []string{"AUTH", to.user, to.pass}
		if to.user == "" {
			args = []string{"AUTH", to.pass}
		}
		if _, err := c.do(args...); err != nil {
			var refused *serverError
			if errors.As(err, &refused) {
				return fmt.Errorf("sign in to Redis: the server refuses the user or password (%s): check url", refused.class)
			}
			return fmt.Errorf("sign in to Redis: %w", err)
		}
	}
	// Both are there since 6.2, and are a help only; the name tells operators who it is.
	if info, err := c.do("CLIENT", "INFO"); err == nil {
		if addr := field(info, "addr"); addr != "" {
			c.own = addr
		}
	} else if !isServer(err) {
		return fmt.Errorf("ask Redis for our address: %w", err)
	}
	if _, err := c.do("CLIENT", "SETNAME", "vigil"); err != nil && !isServer(err) {
		return fmt.Errorf("name the connection: %w", err)
	}
	return nil
}

func isServer(err error) bool {
	var e *serverError
	return errors.As(err, &e)
}

// rights says which right a refused command needs.
func rights(what string, err error) error {
	var refused *serverError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch refused.class {
	case "NOAUTH":
		return fmt.Errorf("%s: the server wants a password (NOAUTH): give user and password in url", what)
	case "NOPERM":
		return fmt.Errorf("%s: the user may not (NOPERM): ACL SETUSER NAME +monitor +client|list +client|info +client|setname +info +ping", what)
	}
	return fmt.Errorf("%s: the server refuses (%s)", what, refused.class)
}

// do sends a command and returns its answer, a text.
func (c *conn) do(args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	_ = c.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := io.WriteString(c, b.String()); err != nil {
		return "", err
	}
	head, err := c.line(maxAnswer)
	if err != nil {
		return "", err
	}
	if len(head) == 0 {
		return "", errors.New("the server does not speak Redis' protocol")
	}
	text := string(head[1:])
	switch head[0] {
	case '+', ':':
		return text, nil
	case '-':
		class, _, _ := strings.Cut(text, " ")
		if !className.MatchString(class) {
			class = "ERR" // what a server may say of itself is bounded
		}
		return "", &serverError{class}
	case '$':
		n, err := strconv.Atoi(text)
		if err != nil || n > maxAnswer {
			return "", errors.New("the server's answer is too long")
		}
		if n < 0 {
			return "", nil
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(c.in, body); err != nil {
			return "", err
		}
		return string(body[:n]), nil
	}
	return "", errors.New("the server does not speak Redis' protocol")
}

// line reads one line, of which it keeps at most limit bytes.
func (c *conn) line(limit int) ([]byte, error) {
	var out []byte
	cutOff := false
	for {
		part, err := c.in.ReadSlice('\n')
		if room := limit - len(out); len(part) > room {
			cutOff = cutOff || len(part) > room+2
			part = part[:max(0, room)]
		}
		out = append(out, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			_ = c.SetReadDeadline(time.Now().Add(answerTimeout))
		case err != nil:
			return nil, err
		case cutOff:
			return closed(out), nil
		default:
			return []byte(strings.TrimRight(string(out), "\r\n")), nil
		}
	}
}

// closed ends the argument in which a line of MONITOR was cut, so that the arguments
// before can be read.
func closed(line []byte) []byte {
	// pending is how much of an escape (\n, \x41) is still to come.
	quoted, pending, whole := false, 0, 0
	for i, b := range line {
		switch {
		case pending == 1 && b == 'x':
			pending = 3
		case pending == 1, pending == 2:
			pending = 0
		case pending == 3:
			pending = 2
		case quoted && b == '\\':
			pending = 1
		case b == '"':
			quoted = !quoted
		}
		if pending == 0 {
			whole = i + 1
		}
	}
	line = line[:whole]
	if quoted {
		line = append(line, '"')
	}
	return line
}

// field finds NAME=value in a line of CLIENT LIST, or NAME:value in INFO.
func field(text, name string) string {
	for part := range strings.FieldsSeq(text) {
		if value, ok := strings.CutPrefix(part, name); ok && len(value) > 0 && (value[0] == '=' || value[0] == ':') {
			return value[1:]
		}
	}
	return ""
}
