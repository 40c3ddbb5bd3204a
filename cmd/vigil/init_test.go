package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever is interrupted at any question leaves nothing behind.
func TestInitInterrupted(t *testing.T) {
	t.Parallel()
	answers := []string{"\n", "none\n", "yes\n"}
	for answered, question := range []string{"Where is kept", "Which logs?", "Do applications", "Slack channel"} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		in, typed := io.Pipe()
		shown, out := io.Pipe()
		done := make(chan error, 1)
		go func() {
			c := initCommand{Out: filepath.Join(dir, "vigil.yaml")}
			done <- c.Run(ctx, streams{in: in, out: out, err: io.Discard})
			out.Close()
		}()
		go func() {
			for _, answer := range answers[:answered] {
				if _, err := io.WriteString(typed, answer); err != nil {
					return
				}
			}
		}()
		text := bufio.NewReader(shown)
		var seen bytes.Buffer
		for !strings.Contains(seen.String(), question) {
			b, err := text.ReadByte()
			if err != nil {
				t.Fatalf("%q was not asked: %s", question, &seen)
			}
			seen.WriteByte(b)
		}
		cancel()
		if _, err := io.Copy(io.Discard, text); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("at %q: %v", question, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("at %q: %v, %v", question, left, err)
		}
		typed.Close()
	}
}

// A line without end is refused rather than kept.
func TestAnswerTooLong(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := newAsker(streams{in: strings.NewReader(strings.Repeat("x", 2*maxAnswer)), out: &out}, false)
	defer a.close()
	if err := a.ask(t.Context(), "What", "nothing", func(string) error { return nil }); !errors.Is(err, bufio.ErrTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"./a/b.env": "./a/b.env", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(x)": "'$(x)'"} {
		if got := shellWord(text); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
}
