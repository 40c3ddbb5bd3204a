package app

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheKeyOfReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := loadReportKey(dir, false); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without one: %v", err)
	}
	key, fresh, err := loadReportKey(dir, true)
	if err != nil || !fresh {
		t.Fatalf("made: %v, %v", fresh, err)
	}
	if again, fresh, err := loadReportKey(dir, true); err != nil || fresh || !again.Equal(key) {
		t.Fatalf("read: %v, %v", fresh, err)
	}
	path := filepath.Join(dir, reportKeyFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadReportKey(dir, true); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("one that others can read: %v", err)
	}
	const secret = "a secret that no error tells"
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte(secret), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadReportKey(dir, true); err == nil || !strings.Contains(err.Error(), "holds no Ed25519 key") || strings.Contains(err.Error(), secret) {
		t.Errorf("one that is none: %v", err)
	}
}

func TestParseReportKey(t *testing.T) {
	t.Parallel()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "officer.pub")
	if err := os.WriteFile(path, []byte(publicText(public)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{publicText(public), publicText(public) + "\n", path} {
		if got, err := ParseReportKey(given); err != nil || !got.Equal(public) {
			t.Errorf("%q: %v", given, err)
		}
	}
	for _, bad := range []string{"", "AAAA", "/nowhere", t.TempDir(), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParseReportKey(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

// signed writes a report of one file, with a manifest that is changed before it is
// signed.
func signed(t *testing.T, dir string, change func(m *Manifest)) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := Manifest{Format: manifestFormat, ID: "x-r1", Key: publicText(public), Files: []ManifestFile{fileOf("vigil-audit-x-r1.html", []byte("page"))}}
	change(&m)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"vigil-audit-x-r1.html": []byte("page"), "vigil-audit-x-r1.json": text, "vigil-audit-x-r1.sig": signatureText(ed25519.Sign(key, text))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(m *Manifest)
		after  func(dir string) error
		want   string
	}{
		"well":              {want: ""},
		"a file outside":    {change: func(m *Manifest) { m.Files[0].Name = "../../etc/passwd" }, want: "outside of its folder"},
		"another format":    {change: func(m *Manifest) { m.Format = "else" }, want: "no manifest"},
		"a key that is odd": {change: func(m *Manifest) { m.Key = "AAAA" }, want: "names no key"},
		"no page":           {after: func(dir string) error { return os.Remove(filepath.Join(dir, "vigil-audit-x-r1.html")) }, want: "vigil-audit-x-r1.html: the file can't be read: it is missing"},
		"no manifest":       {after: func(dir string) error { return os.Remove(filepath.Join(dir, "vigil-audit-x-r1.json")) }, want: "vigil-audit-x-r1.json: the manifest can't be read"},
		"no signature":      {after: func(dir string) error { return os.Remove(filepath.Join(dir, "vigil-audit-x-r1.sig")) }, want: "vigil-audit-x-r1.sig: the signature can't be read"},
		"a longer page": {after: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "vigil-audit-x-r1.html"), []byte("page."), 0o600)
		}, want: "not the one that was signed"},
	} {
		dir := t.TempDir()
		if tt.change == nil {
			tt.change = func(*Manifest) {}
		}
		signed(t, dir, tt.change)
		if tt.after != nil {
			if err := tt.after(dir); err != nil {
				t.Fatal(err)
			}
		}
		v, err := VerifyReports(dir, nil)
		if err != nil || len(v) != 1 {
			t.Fatalf("%s: %+v, %v", name, v, err)
		}
		if got := strings.Join(v[0].Problems, "\n"); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, err := VerifyReports(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "holds no audit report") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	at := func(m time.Month, d, h int) time.Time { return time.Date(2026, m, d, h, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		from, to time.Time
		id, bad  string
	}{
		{at(10, 1, 0), at(11, 1, 0), "2026-10", ""},
		{at(12, 1, 0), at(13, 1, 0), "2026-12", "not begun"},
		{at(10, 5, 0), at(10, 12, 0), "2026-10-05_2026-10-12", ""},
		{at(10, 5, 6), at(10, 5, 7), "2026-10-05T0600_2026-10-05T0700", ""},
		{at(10, 5, 0), at(10, 5, 0), "", "ends before"},
		{at(1, 1, 0), at(13, 3, 0), "", "longer than 366"},
		{at(10, 5, 0).Add(time.Second), at(10, 6, 0), "", "full minute"},
	} {
		if got := periodID(tt.from, tt.to); tt.id != "" && got != tt.id {
			t.Errorf("%s, want %s", got, tt.id)
		}
		if err := checkPeriod(tt.from, tt.to, at(11, 20, 0)); (err != nil) != (tt.bad != "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
	}
	if from, to := LastMonth(at(1, 1, 0)); !from.Equal(at(0, 1, 0)) || !to.Equal(at(1, 1, 0)) {
		t.Errorf("%s to %s", from, to)
	}
}
