package outbound

import "log/slog"

const redacted = "[redacted]"

// Secret is a token, a key, or an address that holds one. It prints as "[redacted]"
// wherever it is formatted, logged or marshalled. Channels give it a name of their own
// (type Secret = outbound.Secret).
type Secret string

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
