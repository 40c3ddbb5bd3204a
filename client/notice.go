package client

import (
	"context"
	"net/http"
	"time"

	"vigil"
)

// Notice is the notification of a case to the authority as it stands.
type Notice struct {
	vigil.Notice
	// Due is by when the authority is to be notified, zero before the clock runs.
	Due time.Time `json:"due"`
	// Texts are the parts as they stand: what was written, else what is proposed.
	Texts map[vigil.NoticeField]string `json:"texts"`
	// Concerns are what speaks for telling the people themselves (article 34).
	Concerns []string `json:"concerns"`
}

// Notice gives the notification of a case.
func (c *Client) Notice(ctx context.Context, id string) (n Notice, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: path("cases", id, "notice")}, &n)
	return n, err
}
