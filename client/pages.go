package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
)

// pages lists what a list has under a key, part after part.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values, size int, key string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		q := maps.Clone(query)
		setCount(q, "limit", size)
		for {
			var part map[string]json.RawMessage
			if err := c.do(ctx, request{method: http.MethodGet, path: path, query: q}, &part); err != nil {
				yield(none, err)
				return
			}
			var all []T
			var next string
			if err := json.Unmarshal(part[key], &all); err != nil {
				yield(none, fmt.Errorf("read vigil's answer: %w", err))
				return
			}
			if len(part["next"]) > 0 {
				if err := json.Unmarshal(part["next"], &next); err != nil {
					yield(none, fmt.Errorf("read vigil's answer: %w", err))
					return
				}
			}
			for _, x := range all {
				if !yield(x, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			q.Set("cursor", next)
		}
	}
}
