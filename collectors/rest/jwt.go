package rest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// Key signs assertions. It never prints.
type Key struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	id  string
}

// minRSA is the least length of an RSA key, in bits.
const minRSA = 2048

// ParseKey reads a private key in PEM: RSA of at least 2048 bits, or ECDSA on P-256. id
// is the key's id at the product; may be empty.
func ParseKey(text []byte, id string) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("is no PEM text; it begins with -----BEGIN PRIVATE KEY-----")
	}
	var parsed any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("is encrypted; take its password off with: openssl pkey -in KEY -out PLAIN")
	default:
		return nil, errors.New("is PEM of something else than a private key")
	}
	if err != nil {
		return nil, errors.New("is a private key that can't be read")
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSA {
			return nil, fmt.Errorf("is an RSA key of %d bits, at least %d are needed", k.N.BitLen(), minRSA)
		}
		return &Key{rsa: k, id: id}, nil
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P256() {
			return &Key{ec: k, id: id}, nil
		}
	}
	return nil, errors.New("is of another kind than RSA or ECDSA on P-256")
}

// String is the same whatever the key.
func (k *Key) String() string { return "[redacted]" }

// GoString is String.
func (k *Key) GoString() string { return k.String() }

// Assertion signs claims as a JSON web token (Jones, Bradley, Sakimura, RFC 7519, 2015),
// by RS256 or ES256.
func (k *Key) Assertion(claims map[string]any) (string, error) {
	header := map[string]string{"typ": "JWT", "alg": "RS256"}
	if k.ec != nil {
		header["alg"] = "ES256"
	}
	if k.id != "" {
		header["kid"] = k.id
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("write an assertion: %w", err)
	}
	p, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write an assertion: %w", err)
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString(h) + "." + enc.EncodeToString(p)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	if k.ec == nil {
		sig, err = rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, sum[:])
	} else {
		r, s, err2 := ecdsa.Sign(rand.Reader, k.ec, sum[:])
		if err = err2; err == nil {
			sig = make([]byte, 64)
			r.FillBytes(sig[:32])
			s.FillBytes(sig[32:])
		}
	}
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	return text + "." + enc.EncodeToString(sig), nil
}

// NewID is a random id, for assertions that must differ.
func NewID() string { return rand.Text() }
