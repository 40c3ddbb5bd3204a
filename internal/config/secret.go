package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// redacted is what every printed form of a secret shows.
const redacted = "[redacted]"

// maxSecretFile bounds the file that a "file:" secret names, in bytes.
const maxSecretFile = 64 << 10

// Secret is a value that is never printed: every way of formatting, marshalling
// or logging it shows "[redacted]" instead. The zero Secret is unset.
//
// In the configuration a secret is given as "env:NAME" (an environment
// variable), "file:/path" (a file's content without the white space around it),
// or the value itself.
type Secret struct {
	// text is behind a pointer so that even a formatter which walks unexported
	// fields shows an address.
	text *string
}

// NewSecret makes a secret of a configured text, which may be a value or a
// reference ("env:NAME", "file:/path").
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// IsSet reports whether a value or a reference was given at all.
func (s Secret) IsSet() bool { return s.text != nil }

// Reveal returns the value itself, looking up the reference where there is one.
// An unset secret reveals as the empty string. The error names the variable or
// file that is missing or empty, never a value.
func (s Secret) Reveal() (string, error) {
	if s.text == nil {
		return "", nil
	}
	if name, ok := strings.CutPrefix(*s.text, "env:"); ok {
		value, found := os.LookupEnv(name)
		if !found {
			return "", fmt.Errorf("environment variable %s is not set", name)
		}
		if value = strings.TrimSpace(value); value == "" {
			return "", fmt.Errorf("environment variable %s is empty", name)
		}
		return value, nil
	}
	if path, ok := strings.CutPrefix(*s.text, "file:"); ok {
		return readSecretFile(path)
	}
	return *s.text, nil
}

func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open secret: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if len(data) > maxSecretFile {
		return "", fmt.Errorf("secret file %s is larger than %d bytes", path, maxSecretFile)
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "", fmt.Errorf("secret file %s is empty", path)
	}
	return string(data), nil
}

// UnmarshalText takes the configured text.
func (s *Secret) UnmarshalText(text []byte) error {
	trimmed := string(bytes.TrimSpace(text))
	if trimmed == "env:" || trimmed == "file:" {
		return errors.New("the reference names nothing; write env:NAME or file:/path")
	}
	*s = NewSecret(trimmed)
	return nil
}

// String returns "[redacted]", or "" when unset.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return redacted
}

// GoString returns what String does, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns what String does, so that JSON, YAML and others redact.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns what String does as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML returns what String does as a YAML string.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns what String does, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
