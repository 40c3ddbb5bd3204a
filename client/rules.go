package client

import (
	"context"
	"encoding/json"
	"net/http"

	"vigil"
	"vigil/internal/api"
)

type (
	// Expecting asks for an exception.
	Expecting = api.Expecting
	// Covered is an exception with what it would have covered lately.
	Covered = api.Covered
	// Silencing asks for a silence.
	Silencing = api.Silencing
	// Silenced is a silence with what it would have kept back.
	Silenced = api.Silenced
)

// Expect makes an exception out of a finding, or only previews it.
func (c *Client) Expect(ctx context.Context, finding string, x Expecting) (out Covered, err error) {
	err = c.do(ctx, request{method: http.MethodPost, path: path("findings", finding, "exception"), body: x}, &out)
	return out, err
}

// Exceptions lists exceptions, the newest first.
func (c *Client) Exceptions(ctx context.Context) ([]vigil.Exception, error) {
	var out struct{ Exceptions []vigil.Exception }
	err := c.do(ctx, request{method: http.MethodGet, path: "/exceptions"}, &out)
	return out.Exceptions, err
}

// EndException ends an exception now. By names who does so, where a command on vigil's own
// machine asks; else it is empty.
func (c *Client) EndException(ctx context.Context, id, by string) (x vigil.Exception, err error) {
	err = c.do(ctx, request{method: http.MethodDelete, path: path("exceptions", id), body: undoing{By: by}}, &x)
	return x, err
}

// Silence keeps messages back for a time, or only previews that.
func (c *Client) Silence(ctx context.Context, s Silencing) (out Silenced, err error) {
	err = c.do(ctx, request{method: http.MethodPost, path: "/silences", body: s}, &out)
	return out, err
}

// Silences lists silences, the newest first.
func (c *Client) Silences(ctx context.Context) ([]vigil.Silence, error) {
	var out struct{ Silences []vigil.Silence }
	err := c.do(ctx, request{method: http.MethodGet, path: "/silences"}, &out)
	return out.Silences, err
}

// EndSilence ends a silence now. By is as for EndException.
func (c *Client) EndSilence(ctx context.Context, id, by string) (s vigil.Silence, err error) {
	err = c.do(ctx, request{method: http.MethodDelete, path: path("silences", id), body: undoing{By: by}}, &s)
	return s, err
}

// Status gives the state of the program, as JSON.
func (c *Client) Status(ctx context.Context) (s json.RawMessage, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: "/status"}, &s)
	return s, err
}
