// Package demo holds a recorded help desk: the audit log of a real PostgreSQL
// with pgaudit, on which people, a bot and services worked for simulated weeks,
// with three breaches at known times, and the key of truth to it. The program in
// record makes it; vigil's demo and its end-to-end tests replay it.
//
// Everything here is read-only and safe for concurrent use. The log is embedded
// compressed and decompressed as it is read, so it costs little memory; closing
// the reader early is fine.
package demo

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Name is what the embedded log would be called as a file.
const Name = "helpdesk.log.zst"

// LogLinePrefix is the server's setting of that name during the recording.
const LogLinePrefix = "%m [%p]: user=%u,db=%d,app=%a,client=%h "

// Store is the name of the store that the log is of.
const Store = "helpdesk"

//go:embed helpdesk.log.zst
var compressed []byte

// Compressed returns the log as it is embedded: one zstd frame. The caller must
// not change it.
func Compressed() []byte { return compressed }

// Log opens the log as the server wrote it, line by line in order of time. It
// fails only if the embedded archive is damaged.
func Log() (io.ReadCloser, error) {
	d, err := zstd.NewReader(bytes.NewReader(compressed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(16<<20))
	if err != nil {
		return nil, fmt.Errorf("open the recorded log: %w", err)
	}
	return d.IOReadCloser(), nil
}
