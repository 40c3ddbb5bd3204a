// Package rest is vigil's HTTP API: JSON under /api/v1, for programs and for the command
// line.
//
// internal/gate stands before it: it mounts the handlers under the table of routes, and
// lets in who may. Each resource has a file of its own, in which its endpoints are
// listed: an endpoint is a Go function from what it takes to what it gives, and all else
// is the same for all of them. What is sent is read strictly: a parameter or a key that
// is not known, a key that is there twice, and anything behind the body are refused.
// Errors are problem details (RFC 9457) with a code of a closed set (api.Code). Lists are
// paged by cursors (see cursor.go), and a write that brings an Idempotency-Key along is
// done once (see once.go).
//
// The description of the API (OpenAPI 3.1) is made from the same functions and types by
// tools/openapi, and is embedded; a test compares it with the table of routes.
//
// A Handler is safe for concurrent use. It reads and acts through Services in the name of
// who asks (api.PersonOf): what somebody sees or does is recorded there. Reading stops
// when the client goes away or after Config.Timeout.
package rest
