package client

import (
	"context"
	"net/http"

	"vigil/internal/api"
)

// Source is one source's standing.
type Source = api.Source

// Sources lists the sources, and how each is.
func (c *Client) Sources(ctx context.Context) ([]Source, error) {
	var out struct{ Sources []Source }
	err := c.do(ctx, request{method: http.MethodGet, path: "/sources"}, &out)
	return out.Sources, err
}
