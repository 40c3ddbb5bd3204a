package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"
)

// HandOver answers with a file as it is made. It may take as long as limit, which may be
// longer than other answers get. Where writing failed, begun tells whether anything was
// sent: if not, w can still be answered with what is wrong; else the answer has to be
// broken off, for what was sent is no whole file, and who reads it must see that.
func HandOver(ctx context.Context, w http.ResponseWriter, media, name string, limit time.Duration, write func(context.Context, io.Writer) error) (begun bool, err error) {
	// A writer that knows no deadline has none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit))
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	out := &beginning{Writer: w}
	err = write(ctx, out)
	if err != nil && !out.begun {
		w.Header().Del("Content-Disposition")
	}
	return out.begun, err
}

// beginning knows whether anything was written.
type beginning struct {
	io.Writer
	begun bool
}

// Write implements io.Writer.
func (b *beginning) Write(p []byte) (int, error) {
	b.begun = true
	return b.Writer.Write(p)
}
