// Package openidtest runs a real OpenID provider for tests: the one that comes with
// zitadel/oidc, which tools/openid.sh builds. Only tests import it. A machine without it
// skips those tests, loudly. One provider serves a test and ends with it.
package openidtest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the provider knows vigil by.
const (
	ClientID     = "web"
	ClientSecret = "secret"
)

// Person is somebody whom the provider knows.
type Person struct {
	ID, Username, Password string
	Email                  string
	EmailVerified          bool
}

// Provider is one that runs, or will.
type Provider struct {
	// Issuer is its address, as it names itself.
	Issuer string

	t       *testing.T
	program string
	port    string
}

// New finds the provider's program and an address for it. It answers only once it is
// started: vigil's own address must be known to it, as it must be to vigil.
func New(t *testing.T) *Provider {
	t.Helper()
	program := find()
	if program == "" {
		t.Skip("NOT CHECKED: no OpenID provider; tools/setup.sh brings it")
	}
	// It takes a port and can't pick one: that of a listener that has ended is most likely free.
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return &Provider{Issuer: "http://localhost:" + port + "/", t: t, program: program, port: port}
}

// find looks for the program, from the folder of the test upwards.
func find() string {
	dir, err := os.Getwd()
	for err == nil {
		path := filepath.Join(dir, ".tools", "bin", "openid-provider")
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// Start runs the provider, which leads people back to an address of vigil.
func (p *Provider) Start(back string, people ...Person) {
	p.t.Helper()
	byID := map[string]Person{}
	for _, one := range people {
		byID[one.ID] = one
	}
	text, err := json.Marshal(byID) //nolint:gosec // made-up passwords of a test
	if err != nil {
		p.t.Fatal(err)
	}
	file := filepath.Join(p.t.TempDir(), "people.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	said := &output{}
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), p.program) // the clean-up ends it
	cmd.Env = append(os.Environ(), "PORT="+p.port, "USERS_FILE="+file, "REDIRECT_URI="+back)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed: that is its error
		close(over)
	}()
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-over
	})
	p.await(over, said)
}

// await waits until the provider answers.
func (p *Provider) await(over <-chan struct{}, said *output) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.After(30 * time.Second); ; {
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, strings.TrimSuffix(p.Issuer, "/")+"/.well-known/openid-configuration", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-over:
			p.t.Fatalf("the provider does not start:\n%s", said)
		case <-deadline:
			p.t.Fatalf("the provider does not answer: %v\n%s", err, said)
		}
	}
}

// output is what a program said.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is all of it.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
