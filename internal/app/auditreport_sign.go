package app

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// reportKeyFile is the file in the data folder with the key that signs reports.
	reportKeyFile = "report.key"
	// manifestFormat names what a manifest is, in what is signed.
	manifestFormat = "vigil audit report 1"
	// maxReportFile bounds what is read of a file to verify it; maxManifest a manifest.
	maxReportFile = 256 << 20
	maxManifest   = 64 << 10
	maxReportDir  = 10_000
)

// The endings of a report's files.
const (
	endPage      = ".html"
	endPDF       = ".pdf"
	endManifest  = ".json"
	endSignature = ".sig"
)

// Manifest is what is signed of a report: what its files are, and how the audit log
// stood.
type Manifest struct {
	Format   string    `json:"format"`
	ID       string    `json:"id"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Revision int       `json:"revision"`
	Made     time.Time `json:"made"`
	// AuditRecords and AuditHead are the length and the newest hash of vigil's own audit
	// log when the report was made.
	AuditRecords uint64         `json:"audit_records"`
	AuditHead    string         `json:"audit_head"`
	Files        []ManifestFile `json:"files"`
	// Key is the public key that signs, in base64.
	Key string `json:"key"`
}

// ManifestFile is one file of a report.
type ManifestFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// loadReportKey reads the key that signs reports. Without one it is made when make is
// set, else the error wraps fs.ErrNotExist. fresh says that it was made.
func loadReportKey(dir string, create bool) (key ed25519.PrivateKey, fresh bool, err error) {
	path := filepath.Join(dir, reportKeyFile)
	key, err = readReportKey(path)
	if !create || !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	if _, key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, false, fmt.Errorf("make the key that signs reports: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, false, fmt.Errorf("make the key that signs reports: %w", err)
	}
	err = writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	if errors.Is(err, fs.ErrExist) { // another was faster
		key, err = readReportKey(path)
		return key, false, err
	}
	if err != nil {
		return nil, false, fmt.Errorf("keep the key that signs reports: %w", err)
	}
	return key, true, nil
}

func readReportKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the key that signs reports: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key that signs reports can be read by others than its owner: chmod 600 %s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key that signs reports: %w", err)
	}
	bad := fmt.Errorf("%s holds no Ed25519 key: put it back from a copy, or remove it to have another one made", path)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, bad
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, bad // what is wrong with it could tell of it
	}
	if key, ok := key.(ed25519.PrivateKey); ok {
		return key, nil
	}
	return nil, bad
}

// writeNew writes a file that is not there yet so that it appears whole and durable, or
// not at all. The error wraps fs.ErrExist where there is one.
func writeNew(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".vigil-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if err := f.Chmod(mode); err != nil {
		f.Close() // the first error counts
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close() // as above
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	// Unlike a renaming, a link replaces nothing.
	if err := os.Link(f.Name(), path); err != nil {
		if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOTSUP) {
			return err
		}
		return writeWithoutLink(path, data, mode)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// writeWithoutLink is for disks that have no links.
func writeWithoutLink(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// publicText is a public key as it is printed.
func publicText(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }

// ParseReportKey reads a public key: as vigil reports key prints it, with or without
// --pem, or the name of a file that holds one of these.
func ParseReportKey(s string) (ed25519.PublicKey, error) {
	s = strings.TrimSpace(s)
	if raw, err := base64.StdEncoding.DecodeString(s); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	if block, _ := pem.Decode([]byte(s)); block != nil {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if key, ok := key.(ed25519.PublicKey); err == nil && ok {
			return key, nil
		}
		return nil, errors.New("this is no public key of Ed25519")
	}
	if info, err := os.Stat(s); err == nil && info.Mode().IsRegular() && info.Size() < maxManifest {
		text, err := os.ReadFile(s)
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		if inner := strings.TrimSpace(string(text)); inner != s {
			return ParseReportKey(inner)
		}
	}
	return nil, fmt.Errorf("%q is no public key and no file with one; print it with: vigil reports key", s)
}

// VerifiedReport is what was found of one report.
type VerifiedReport struct {
	Manifest Manifest `json:"manifest"`
	// Trusted says that the key was given, and is no claim of the report itself.
	Trusted bool `json:"trusted"`
	// Problems name each file that is not as it was signed; empty when all are.
	Problems []string `json:"problems,omitempty"`
}

// VerifyReports verifies the report that a file belongs to, or all reports in a folder.
// With a key, it must be the one that signed. It needs neither data folder nor service.
// The error is that nothing can be verified; what is not as it was signed is told in
// Problems.
func VerifyReports(path string, key ed25519.PublicKey) ([]VerifiedReport, error) {
	manifests, err := manifestsAt(path)
	if err != nil {
		return nil, err
	}
	var out []VerifiedReport
	for _, m := range manifests {
		out = append(out, verifyReport(m, key))
	}
	return out, nil
}

// manifestsAt finds the manifests that a path stands for.
func manifestsAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("verify report: %w", err)
	}
	if !info.IsDir() {
		base := strings.TrimSuffix(path, filepath.Ext(path))
		return []string{base + endManifest}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("verify reports: %w", err)
	}
	if len(entries) > maxReportDir {
		return nil, fmt.Errorf("folder %s holds more than %d files: name one of them", path, maxReportDir)
	}
	// A report whose manifest was taken away still shows by its other files.
	var found []string
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); !e.IsDir() && strings.HasPrefix(name, reportPrefix) &&
			slices.Contains([]string{endPage, endPDF, endManifest, endSignature}, ext) {
			found = append(found, filepath.Join(path, strings.TrimSuffix(name, ext)+endManifest))
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); len(found) == 0 {
		return nil, fmt.Errorf("folder %s holds no audit report: name the folder with its %s*%s", path, reportPrefix, endManifest)
	}
	return found, nil
}

func verifyReport(path string, key ed25519.PublicKey) VerifiedReport {
	out := VerifiedReport{Trusted: key != nil}
	bad := func(format string, args ...any) VerifiedReport {
		out.Problems = append(out.Problems, fmt.Sprintf(format, args...))
		return out
	}
	name, sigName := filepath.Base(path), filepath.Base(strings.TrimSuffix(path, endManifest)+endSignature)
	text, err := readBounded(path, maxManifest)
	if err != nil {
		return bad("%s: the manifest can't be read: %v", name, err)
	}
	sigText, err := readBounded(strings.TrimSuffix(path, endManifest)+endSignature, maxManifest)
	if err != nil {
		return bad("%s: the signature can't be read: %v", sigName, err)
	}
	signature, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(string(sigText), "\n"))
	if err != nil || len(signature) != ed25519.SignatureSize || !bytes.Equal(sigText, signatureText(signature)) {
		return bad("%s: this is not a signature as it was written: a byte of it was changed", sigName)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var m Manifest
	if err := d.Decode(&m); err != nil || m.Format != manifestFormat {
		return bad("%s: this is no manifest of an audit report, or it was changed", name)
	}
	out.Manifest = m
	signer := key
	if signer == nil {
		if signer, err = base64.StdEncoding.DecodeString(m.Key); err != nil || len(signer) != ed25519.PublicKeySize {
			return bad("%s: the manifest names no key", name)
		}
	}
	if !ed25519.Verify(signer, text, signature) {
		if key != nil && m.Key != publicText(key) {
			return bad("%s: it was not signed with the key that was given, but claims the key %s", name, m.Key)
		}
		return bad("%s, %s: the signature does not fit the manifest: one of the two was changed", name, sigName)
	}
	for _, f := range m.Files {
		if f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." {
			bad("%s: it names a file outside of its folder", name)
			continue
		}
		data, err := readBounded(filepath.Join(filepath.Dir(path), f.Name), maxReportFile)
		if err != nil {
			bad("%s: the file can't be read: %v", f.Name, err)
			continue
		}
		if sum := sha256.Sum256(data); int64(len(data)) != f.Size || hex.EncodeToString(sum[:]) != f.SHA256 {
			bad("%s: the file is not the one that was signed: its SHA-256 is %x, signed was %s", f.Name, sum, f.SHA256)
		}
	}
	return out
}

func signatureText(signature []byte) []byte {
	return []byte(base64.StdEncoding.EncodeToString(signature) + "\n")
}

// readBounded reads a regular file of at most so many bytes.
func readBounded(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("it is missing")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Size() > most:
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", info.Size(), most)
	}
	return os.ReadFile(path)
}
