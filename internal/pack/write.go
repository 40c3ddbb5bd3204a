package pack

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"vigil"
	"vigil/collectors/formats/native"
)

// Write makes a pack and signs it. An error of w or of what hands the events over is
// returned as it is, and then what was written is no pack: it lacks its end.
func Write(w io.Writer, c *Contents, key ed25519.PrivateKey) (Manifest, error) {
	out := newSealer(w, key)
	p := &packer{zip: zip.NewWriter(out), m: Manifest{
		Format: Format, Case: c.Case.ID, Of: c.Of, Key: KeyText(key.Public().(ed25519.PublicKey)),
	}}
	p.m.Of.Made = p.m.Of.Made.UTC().Truncate(time.Second)
	if err := p.write(c); err != nil {
		return p.m, fmt.Errorf("write evidence pack of case %q: %w", c.Case.ID, err)
	}
	text, err := json.MarshalIndent(p.m, "", "  ")
	if err != nil {
		return p.m, fmt.Errorf("write manifest of case %q: %w", c.Case.ID, err)
	}
	text = append(text, '\n')
	for _, f := range []struct {
		name string
		data []byte
	}{{fileManifest, text}, {fileSignature, []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(key, text)) + "\n")}} {
		if err = p.file(f.name, func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
			return p.m, fmt.Errorf("write evidence pack of case %q: %w", c.Case.ID, err)
		}
	}
	if err := p.zip.SetComment(sealOf(nil)); err != nil {
		return p.m, fmt.Errorf("write evidence pack of case %q: %w", c.Case.ID, err)
	}
	if err := p.zip.Close(); err != nil {
		return p.m, fmt.Errorf("write evidence pack of case %q: %w", c.Case.ID, err)
	}
	return p.m, out.seal()
}

// packer writes one pack.
type packer struct {
	zip *zip.Writer
	m   Manifest
}

// file writes one file; nothing in it but its name and its bytes tells of when or where it
// was made.
func (p *packer) file(name string, write func(io.Writer) error) error {
	f, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	sum, size := sha256.New(), &sizer{}
	if err := write(io.MultiWriter(f, sum, size)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if name != fileManifest && name != fileSignature {
		p.m.Files = append(p.m.Files, File{Name: name, Size: size.n, SHA256: hex.EncodeToString(sum.Sum(nil))})
	}
	return nil
}

type sizer struct{ n int64 }

func (s *sizer) Write(b []byte) (int, error) { s.n += int64(len(b)); return len(b), nil }

func (p *packer) write(c *Contents) error {
	count := newCounter(c.Findings)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{fileReadme, func(w io.Writer) error { _, err := io.WriteString(w, readme); return err }},
		{fileCase, func(w io.Writer) error { return writeLine(w, c.Case) }},
		{fileTimeline, func(w io.Writer) error { return writeLines(w, c.Timeline) }},
		{fileFindings, func(w io.Writer) error { return writeLines(w, c.Findings) }},
		{fileNotices, func(w io.Writer) error { return writeLines(w, c.Notices) }},
		{fileEvents, func(w io.Writer) error { return p.events(w, c, count) }},
		{fileSubjects, func(w io.Writer) error { return writeLines(w, count.list()) }},
		{fileAudit, func(w io.Writer) error {
			return c.Audit(func(r AuditRecord) error { return writeLine(w, r) })
		}},
	} {
		if err := p.file(f.name, f.write); err != nil {
			return err
		}
	}
	p.m.Counts = count.close()
	return nil
}

func (p *packer) events(w io.Writer, c *Contents, count *counter) error {
	most := c.Most
	if most <= 0 || most > MaxEvents {
		most = MaxEvents
	}
	var text []byte
	return c.Events(func(e *vigil.Event) error {
		l := line{
			ID: e.ID, Time: e.Time.UTC(), Source: e.Source, Actor: e.Actor.ID, Tenant: e.Actor.Tenant, Session: e.Session,
			Conversation: e.Conversation, Action: e.Action, Subjects: e.Subjects, Network: e.Network, Rows: e.Rows,
		}
		switch {
		case !count.takes(&l):
			return nil
		case count.total.Events >= most:
			p.m.LeftOut++
			return nil
		}
		count.add(&l)
		text = appendEvent(text[:0], e)
		_, err := w.Write(text)
		return err
	})
}

// appendEvent writes an event in vigil's native form, with where it was read.
func appendEvent(dst []byte, e *vigil.Event) []byte {
	dst = native.Append(dst, e)
	dst = append(dst[:len(dst)-1], `,"origin":`...)
	file, err := json.Marshal(e.Origin.File)
	if err != nil {
		file = []byte(`""`) // a string is always written
	}
	dst = append(append(dst, `{"file":`...), file...)
	dst = strconv.AppendInt(append(dst, `,"line":`...), e.Origin.Line, 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), e.Origin.Offset, 10)
	return fmt.Appendf(dst, `,"hash":"%016x"}}`+"\n", e.Origin.Hash)
}

func writeLine(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func writeLines[T any](w io.Writer, all []T) error {
	for i := range all {
		if err := writeLine(w, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// The seal stands in the zip's comment. It is of one length, so that the end of the zip
// can be held back until all before it is known.
const (
	sealPrefix = "vigil seal 1 "
	sealLength = len(sealPrefix) + 88
)

func sealOf(signature []byte) string {
	if signature == nil {
		signature = make([]byte, ed25519.SignatureSize)
	}
	return sealPrefix + base64.StdEncoding.EncodeToString(signature)
}

// sealed is what is signed of the bytes before the comment.
func sealed(sum []byte) []byte { return append([]byte(Format+"\n"), sum...) }

// sealer passes bytes on, always the last sealLength of them held back: they are the
// comment, in whose place the seal comes.
type sealer struct {
	to   io.Writer
	key  ed25519.PrivateKey
	held []byte
	sum  interface {
		io.Writer
		Sum(b []byte) []byte
	}
}

func newSealer(to io.Writer, key ed25519.PrivateKey) *sealer {
	return &sealer{to: to, key: key, sum: sha256.New()}
}

// Write implements io.Writer.
func (s *sealer) Write(b []byte) (int, error) {
	s.held = append(s.held, b...)
	if over := len(s.held) - sealLength; over > 0 {
		if err := s.pass(s.held[:over]); err != nil {
			return 0, err
		}
		s.held = append(s.held[:0], s.held[over:]...)
	}
	return len(b), nil
}

func (s *sealer) pass(b []byte) error {
	_, _ = s.sum.Write(b) // a hash never fails
	_, err := s.to.Write(b)
	return err
}

func (s *sealer) seal() error {
	if !bytes.Equal(s.held, []byte(sealOf(nil))) {
		return fmt.Errorf("seal evidence pack: its end is not the comment")
	}
	_, err := io.WriteString(s.to, sealOf(ed25519.Sign(s.key, sealed(s.sum.Sum(nil)))))
	return err
}

const readme = `EVIDENCE PACK OF A CASE

What vigil found, and the accesses out of which it found it. People and customers
appear under pseudonyms. No chat content is in it.

  case.json            the case as it stood
  timeline.ndjson      what happened with it, who did it, when
  findings.ndjson      its findings: who, when, how much, how unusual, and why
  notification.ndjson  every revision of the notification to the authority, if any
  events.ndjson        the accesses, in order of time, each with where it was read
                       (file, line, offset) and the first 8 bytes of the SHA-256 of
                       the raw record, so that it can be compared with the log
  subjects.ndjson      the customers who were touched, with how often and when
  audit.ndjson         who saw and did what with the case, out of vigil's own audit
                       log; each record's hash covers the one before it
  manifest.json        the SHA-256 of each file, what the events come to, and of
                       which state of vigil it is
  manifest.sig         the Ed25519 signature of manifest.json, in base64

Verify it with:

  vigil verify PACK.zip --key PUBLIC-KEY

and compute the findings again on the machine that has the data:

  vigil verify PACK.zip --config vigil.yaml
`
