package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// MakePack has the evidence pack of a case made, and writes it as it comes. It returns the
// file's name. After an error what was written is no pack: throw it away. How long it may
// take is up to the context.
func (c *Client) MakePack(ctx context.Context, id string, w io.Writer) (name string, err error) {
	long := *c.cfg.HTTP
	long.Timeout = 0 // it would count the reading, too
	q, key := request{method: http.MethodPost, path: path("cases", id, "pack")}, rand.Text()
	err = c.again(ctx, func() (time.Duration, error) {
		resp, err := c.send(ctx, &long, q, nil, key)
		if err != nil {
			return -1, err // nobody knows whether one is being made
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
			if err != nil {
				return -1, fmt.Errorf("read vigil's answer: %w", err)
			}
			return problem(resp, answer)
		}
		if resp.Header.Get("Content-Type") != "application/zip" {
			return -1, errors.New("read vigil's answer: it is no pack")
		}
		_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil {
			return -1, fmt.Errorf("read vigil's answer: %w", err)
		}
		name = params["filename"]
		if _, err := io.Copy(w, resp.Body); err != nil {
			return -1, fmt.Errorf("the pack broke off: %w", err)
		}
		return -1, nil
	})
	return name, err
}
