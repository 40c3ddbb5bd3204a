package api

import (
	"context"
	"io"

	"vigil"
)

// PackPreview is what the evidence pack of a case would hold.
type PackPreview struct {
	Case vigil.Case
	// Findings are those that are kept, of Case.Total.
	Findings []vigil.Finding
	// Events are about how many accesses; MostEvents how many one pack holds.
	Events, MostEvents int64
	// Notice says that a notification to the authority belongs to it.
	Notice bool
	// Key is the public key that signs, empty where none is made yet.
	Key string
}

// Packs makes evidence packs. Each look and each making is recorded before anything is
// handed over. The errors are as those of Notices.
type Packs interface {
	PackPreview(ctx context.Context, id string) (PackPreview, error)
	// Pack records that one is made, and returns its file name and what writes it. An
	// error of write leaves a file that is no pack.
	Pack(ctx context.Context, id string) (name string, write func(ctx context.Context, w io.Writer) error, err error)
}
