package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// The headers of Standard Webhooks (standardwebhooks.com, 2023).
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// leastKey is how long a key must be, in bytes.
const leastKey = 24

// readKey makes the key of a secret.
func readKey(s Secret) ([]byte, error) {
	key := []byte(s)
	if text, ok := strings.CutPrefix(string(s), "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("what stands behind whsec_ is not base64: copy it again")
		}
	}
	if len(key) < leastKey {
		return nil, errors.New(`the key is missing or shorter than 24 bytes: make one with "echo whsec_$(openssl rand -base64 32)"`)
	}
	return key, nil
}

// sign signs the id, the time and the body with each key.
func sign(keys [][]byte, id, at string, body []byte) string {
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(out, " ")
}
