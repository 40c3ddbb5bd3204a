// Package anchor keeps the head of the audit log outside of vigil: one signed line, a
// checkpoint, for each time it has grown.
//
// The chain of hashes within the log shows what was changed, taken out or put in. What it
// can't show, that the end was cut off, an older copy put in its place, or all of it
// written anew, shows by the checkpoints: each says how many records there were, and the
// hash of the last. They are signed with Ed25519 (RFC 8032), so that who can write to
// where they are kept, and nothing else, can't make up another.
//
// Functions are safe for concurrent use, save two that write to one file.
package anchor

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// prefix begins each line, and what is signed.
const prefix = "vigil-audit-1"

// maxLine bounds a line that is read, in bytes.
const maxLine = 4096

// Checkpoint is how long the audit log was, and its newest hash, at a time.
type Checkpoint struct {
	N    uint64
	Hash []byte
	Time time.Time
}

// text is what is signed.
func (c *Checkpoint) text() string {
	return fmt.Sprintf("%s %d %s %s", prefix, c.N, hex.EncodeToString(c.Hash), c.Time.UTC().Format(time.RFC3339))
}

// Line signs a checkpoint and writes it down.
func (c *Checkpoint) Line(key ed25519.PrivateKey) string {
	text := c.text()
	return text + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(text))) + "\n"
}

// Parse reads a line. The error says that it is none that the key has signed.
func Parse(line string, key ed25519.PublicKey) (Checkpoint, error) {
	var c Checkpoint
	parts := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(parts) != 5 || parts[0] != prefix {
		return c, errors.New("it is no checkpoint of an audit log")
	}
	n, err1 := strconv.ParseUint(parts[1], 10, 64)
	hash, err2 := hex.DecodeString(parts[2])
	at, err3 := time.Parse(time.RFC3339, parts[3])
	signature, err4 := base64.StdEncoding.DecodeString(parts[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return c, errors.New("it is no checkpoint as it was written")
	}
	c = Checkpoint{N: n, Hash: hash, Time: at.UTC()}
	if base64.StdEncoding.EncodeToString(signature) != parts[4] || c.text() != strings.Join(parts[:4], " ") || !ed25519.Verify(key, []byte(c.text()), signature) {
		return c, errors.New("its signature does not fit: it was changed, or signed with another key")
	}
	return c, nil
}

// Append adds a checkpoint to a file, durable when it returns. The file is made when it is
// not there; what is in it is never changed.
func Append(path string, c *Checkpoint, key ed25519.PrivateKey) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	_, err = f.WriteString(c.Line(key))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// Last returns the newest checkpoint in a file that the key has signed, and ok false when
// there is none. A line that was torn by a crash is passed over.
func Last(path string, key ed25519.PublicKey) (c Checkpoint, ok bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("read checkpoints: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c, false, fmt.Errorf("read checkpoints: %w", err)
	}
	end, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-16*maxLine), 16*maxLine))
	if err != nil {
		return c, false, fmt.Errorf("read checkpoints: %w", err)
	}
	lines := strings.Split(string(end), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if c, err := Parse(lines[i], key); err == nil {
			return c, true, nil
		}
	}
	return c, false, nil
}

// Read reads all checkpoints of a file. Problems name the lines that are none which the
// key has signed, and those that go back behind one before. The error is that it can't be
// read.
func Read(in io.Reader, key ed25519.PublicKey) (all []Checkpoint, problems []string, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, maxLine), maxLine)
	for n := 1; lines.Scan(); n++ {
		c, err := Parse(lines.Text(), key)
		if err != nil {
			problems = append(problems, fmt.Sprintf("checkpoint in line %d: %v", n, err))
			continue
		}
		if len(all) > 0 {
			if was := &all[len(all)-1]; c.N < was.N || c.N == was.N && string(c.Hash) != string(was.Hash) {
				problems = append(problems, fmt.Sprintf("checkpoint in line %d: the log had %d records then, and %d before: it was cut off or put back in between", n, c.N, was.N))
			}
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		return all, problems, fmt.Errorf("read checkpoints: %w", err)
	}
	return all, problems, nil
}
