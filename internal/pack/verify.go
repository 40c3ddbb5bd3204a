package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"vigil"
)

// Report is what was found of a pack.
type Report struct {
	Manifest Manifest `json:"manifest"`
	// Trusted says that the key was given, and is no claim of the pack itself.
	Trusted bool `json:"trusted"`
	// Checks say what was checked, and what came of it.
	Checks []Check `json:"checks"`
	// Problems name each thing that is not as it was signed, or does not follow; empty
	// when all is well.
	Problems []string `json:"problems,omitempty"`
	// Findings are those of the pack.
	Findings []vigil.Finding `json:"-"`
}

// Check is one thing that was checked.
type Check struct {
	What string `json:"what"`
	Says string `json:"says"`
}

func (r *Report) bad(format string, args ...any) {
	if len(r.Problems) < 100 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

func (r *Report) checked(what, format string, args ...any) {
	r.Checks = append(r.Checks, Check{What: what, Says: fmt.Sprintf(format, args...)})
}

// Verify reads a pack of size bytes. With a key, that must be the one that signed. What is
// wrong with the pack stands in the Report; the error is that it can't be read.
func Verify(in io.ReaderAt, size int64, key ed25519.PublicKey) (Report, error) {
	r := Report{Trusted: key != nil}
	v := &verifier{report: &r, key: key, in: in, size: size}
	z, err := zip.NewReader(in, size)
	if err != nil {
		r.bad("it is no zip file, or its end is missing: %v", err)
		return r, nil
	}
	for _, step := range []func(z *zip.Reader) (bool, error){v.manifest, v.seal, v.files, v.count, v.audit} {
		on, err := step(z)
		if err != nil || !on {
			return r, err
		}
	}
	return r, nil
}

type verifier struct {
	report *Report
	key    ed25519.PublicKey
	in     io.ReaderAt
	size   int64
}

// open opens a file of the pack by name.
func open(z *zip.Reader, name string) (io.ReadCloser, error) {
	for _, f := range z.File {
		if f.Name == name {
			return f.Open()
		}
	}
	return nil, errors.New("it is missing")
}

// whole reads a file of the pack, which must not be large.
func whole(z *zip.Reader, name string) ([]byte, error) {
	f, err := open(z, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxWhole+1))
	if err == nil && len(text) > maxWhole {
		err = fmt.Errorf("it is larger than %d MiB", maxWhole>>20)
	}
	return text, err
}

// manifest reads the manifest and its signature.
func (v *verifier) manifest(z *zip.Reader) (bool, error) {
	r := v.report
	text, err := whole(z, fileManifest)
	if err != nil {
		r.bad("%s can't be read: %v", fileManifest, err)
		return false, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var m Manifest
	if err := d.Decode(&m); err != nil || m.Format != Format {
		r.bad("%s is no manifest of an evidence pack that this vigil knows, or it was changed", fileManifest)
		return false, nil
	}
	r.Manifest = m
	claimed, err := base64.StdEncoding.DecodeString(m.Key)
	if err != nil || len(claimed) != ed25519.PublicKeySize {
		r.bad("%s names no key", fileManifest)
		return false, nil
	}
	if v.key == nil {
		v.key = claimed
	}
	if !bytes.Equal(v.key, claimed) {
		r.bad("it was not signed with the key that was given, but claims the key %s", m.Key)
		return false, nil
	}
	written, err := whole(z, fileSignature)
	signature, ok := canonical(strings.TrimSuffix(string(written), "\n"))
	if err != nil || !ok || !strings.HasSuffix(string(written), "\n") {
		r.bad("%s is not a signature as it was written", fileSignature)
		return false, nil
	}
	if !ed25519.Verify(v.key, text, signature) {
		r.bad("the signature does not fit the manifest: one of the two was changed")
		return false, nil
	}
	r.checked("signature", "the manifest is as it was signed with the key %s", m.Key)
	return true, nil
}

// canonical reads a signature that is written in the one way that there is.
func canonical(text string) ([]byte, bool) {
	signature, err := base64.StdEncoding.DecodeString(text)
	return signature, err == nil && len(signature) == ed25519.SignatureSize && base64.StdEncoding.EncodeToString(signature) == text
}

// seal compares the bytes of the whole zip with its seal.
func (v *verifier) seal(z *zip.Reader) (bool, error) {
	r := v.report
	text, ok := strings.CutPrefix(z.Comment, sealPrefix)
	signature, fine := canonical(text)
	if !ok || !fine {
		r.bad("the seal at the end of the zip is not as it was written")
		return true, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(v.in, 0, v.size-int64(sealLength))); err != nil {
		return false, fmt.Errorf("read evidence pack: %w", err)
	}
	if !ed25519.Verify(v.key, sealed(sum.Sum(nil)), signature) {
		r.bad("the zip is not the one that was sealed: a byte of it was changed")
		return true, nil
	}
	r.checked("seal", "no byte of the zip was changed")
	return true, nil
}

// files compares each file with its sum, and finds those that were added or taken away.
func (v *verifier) files(z *zip.Reader) (bool, error) {
	r, before := v.report, len(v.report.Problems)
	want := map[string]File{}
	for _, f := range r.Manifest.Files {
		want[f.Name] = f
	}
	seen := map[string]bool{}
	for _, f := range z.File {
		if seen[f.Name] {
			r.bad("%s is in it twice", f.Name)
		}
		seen[f.Name] = true
		if f.Name == fileManifest || f.Name == fileSignature {
			continue
		}
		w, known := want[f.Name]
		if !known {
			r.bad("%q is in it, which is not in its manifest", f.Name)
			continue
		}
		in, err := f.Open()
		if err != nil {
			r.bad("%s can't be read: %v", f.Name, err)
			continue
		}
		sum := sha256.New()
		n, err := io.Copy(sum, io.LimitReader(in, w.Size+1))
		err = errors.Join(err, in.Close())
		if got := hex.EncodeToString(sum.Sum(nil)); err != nil || n != w.Size || got != w.SHA256 {
			r.bad("%s is not the file that was signed", f.Name)
		}
	}
	for _, f := range r.Manifest.Files {
		if !seen[f.Name] {
			r.bad("%s is missing", f.Name)
		}
	}
	if len(r.Problems) > before {
		return false, nil // what was changed need not be counted
	}
	r.checked("files", "%d files are as they were signed", len(r.Manifest.Files))
	return true, nil
}

// count counts the events anew, and holds them against what the pack says.
func (v *verifier) count(z *zip.Reader) (bool, error) {
	r := v.report
	held := 0
	if err := eachLine(z, fileFindings, vigil.MaxCaseFindings, func(text []byte) error {
		if held += len(text); held > maxFindings {
			return fmt.Errorf("the findings are larger than %d MiB", maxFindings>>20)
		}
		var f vigil.Finding
		if err := json.Unmarshal(text, &f); err != nil {
			return err
		}
		r.Findings = append(r.Findings, f)
		return nil
	}); err != nil {
		r.bad("%v", err)
		return false, nil
	}
	c := newCounter(r.Findings)
	n, last := 0, time.Time{}
	err := eachLine(z, fileEvents, MaxEvents, func(text []byte) error {
		l := line{Rows: vigil.Unknown}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if n++; !c.add(&l) {
			r.bad("%s: line %d is an event that belongs to no finding of the case", fileEvents, n)
		}
		if l.Time.Before(last) {
			r.bad("%s: line %d is out of the order of time", fileEvents, n)
		}
		last = l.Time
		return nil
	})
	if err != nil {
		r.bad("%v", err)
		return false, nil
	}
	counts := c.close()
	if !reflect.DeepEqual(counts, r.Manifest.Counts) {
		r.bad("the events come to other counts than the pack says")
	}
	list := c.list()
	at := 0
	if err := eachLine(z, fileSubjects, MaxSubjects, func(text []byte) error {
		var s Subject
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		if at >= len(list) || s != *list[at] {
			r.bad("%s: line %d does not follow from the events", fileSubjects, at+1)
		}
		at++
		return nil
	}); err != nil {
		r.bad("%v", err)
	}
	if at != len(list) {
		r.bad("%s lists %d customers, the events name %d", fileSubjects, at, len(list))
	}
	r.checked("counts", "counted again from the events: %d accesses, %d of which showed data, %d customers, %d sessions", counts.Total.Events, counts.Total.Reads, counts.Subjects, counts.Total.Sessions)
	for i := range r.Findings {
		r.checked("finding "+r.Findings[i].ID, "%s", against(&r.Findings[i], &counts.Findings[i].Count))
	}
	if r.Manifest.LeftOut > 0 {
		r.checked("left out", "%d more events belong to the case than one pack holds", r.Manifest.LeftOut)
	}
	return true, nil
}

// against says how what a finding tells compares with its events in the pack.
func against(f *vigil.Finding, c *Count) string {
	text := fmt.Sprintf("it tells of %d accesses that showed data", f.Events)
	if f.Subjects >= 0 {
		text += fmt.Sprintf(" and of %d customers", f.Subjects)
	}
	text += fmt.Sprintf("; in its time the pack has %d and %d", c.Reads, c.Subjects)
	if c.Reads < f.Events {
		text += " (the rest was no longer kept, or is left out)"
	}
	return text
}

// audit computes the hash of each record of the audit log anew.
func (v *verifier) audit(z *zip.Reader) (bool, error) {
	r := v.report
	var n, newest uint64
	var before AuditRecord
	err := eachLine(z, fileAudit, MaxAudit, func(text []byte) error {
		var a AuditRecord
		if err := json.Unmarshal(text, &a); err != nil {
			return err
		}
		previous, err := hex.DecodeString(a.Previous)
		if err != nil {
			return err
		}
		if got := hex.EncodeToString(a.hash(previous)); got != a.Hash {
			r.bad("%s: the hash of record %d does not follow from it", fileAudit, a.N)
		}
		if n > 0 && (a.N <= before.N || a.N == before.N+1 && a.Previous != before.Hash) {
			r.bad("%s: record %d does not follow the one before it", fileAudit, a.N)
		}
		n, newest, before = n+1, a.N, a
		return nil
	})
	if err != nil {
		r.bad("%v", err)
		return false, nil
	}
	if of := r.Manifest.Of; newest > of.AuditRecords || newest == of.AuditRecords && n > 0 && before.Hash != of.AuditHead {
		r.bad("%s does not fit the head of the audit log", fileAudit)
	}
	r.checked("audit log", "the hashes of %d records about the case follow from them; the log had %d records then, head %s", n, r.Manifest.Of.AuditRecords, r.Manifest.Of.AuditHead)
	return true, nil
}

// hash is that of the ledger's audit log: SHA-256 over the hash before and the record.
func (a *AuditRecord) hash(previous []byte) []byte {
	h := sha256.New()
	_, _ = h.Write(previous) // a hash never fails
	b := binary.BigEndian.AppendUint64(nil, a.N)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Time.UnixNano()))
	for _, s := range []string{a.Who, a.What, a.Object} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	_, _ = h.Write(b) // as above
	return h.Sum(nil)
}

// eachLine reads a file line by line: at most so many, or it is none that vigil wrote.
func eachLine(z *zip.Reader, name string, most int, visit func(text []byte) error) error {
	f, err := open(z, name)
	if err != nil {
		return fmt.Errorf("%s can't be read: %w", name, err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if n > most {
			return fmt.Errorf("%s has more than %d lines, more than a pack holds", name, most)
		}
		if err := visit(slices.Clip(lines.Bytes())); err != nil {
			return fmt.Errorf("%s: line %d can't be read: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s can't be read: %w", name, err)
	}
	return nil
}
