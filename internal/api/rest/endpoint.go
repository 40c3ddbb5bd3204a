package rest

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"vigil/internal/api"
)

// resource is what belongs together in the API.
type resource struct {
	// name is what its things are called, in the plural; thing is one of them.
	name, thing string
	// there says that the service that it needs is.
	there     bool
	endpoints []endpoint
}

// endpoint is one address: what it takes, what it gives and what it does.
type endpoint struct {
	// route is its name in access.Routes, such as "GET /api/v1/findings/{id}".
	route string
	// id names it for programs; does says in a sentence what it does.
	id, does string
	in, out  reflect.Type
	read     func(w http.ResponseWriter, r *http.Request) (any, *api.Problem)
	do       func(ctx context.Context, in any) (any, error)

	// fleeting says that its answers are not kept for who asks again: those of looks, of
	// which each is recorded.
	fleeting bool
	// secret says the same of what the service itself does once and tells again: the same
	// write is known as such, and another one of its key refused.
	secret bool
	// hand, where it is there, hands a file over instead of do; media is its content type,
	// limit how long that may take.
	hand  func(ctx context.Context, in any) (name string, write writing, err error)
	media string
	limit time.Duration
}

// writing writes a file. An error leaves what is none.
type writing = func(ctx context.Context, w io.Writer) error

// on is an endpoint that does what the function does. In is a struct of which the tags
// of the fields say where each comes from (see decode.go); Out is a struct, sent as JSON.
func on[In, Out any](route, id, does string, do func(ctx context.Context, in In) (Out, error)) endpoint {
	return endpoint{
		route: route, id: id, does: does, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		read: func(w http.ResponseWriter, r *http.Request) (any, *api.Problem) {
			var in In
			bad := read(w, r, &in)
			return in, bad
		},
		do: func(ctx context.Context, in any) (any, error) { return do(ctx, in.(In)) },
	}
}

// unkept is the endpoint, but its answers are not kept.
func (e endpoint) unkept() endpoint {
	e.fleeting = true
	return e
}

// file is an endpoint that hands a file over, under a name that fits a header.
func file[In any](route, id, does, media string, limit time.Duration, hand func(ctx context.Context, in In) (string, writing, error)) endpoint {
	e := on(route, id, does, func(context.Context, In) (jsontext.Value, error) { return nil, nil })
	e.hand = func(ctx context.Context, in any) (string, writing, error) { return hand(ctx, in.(In)) }
	e.media, e.limit, e.fleeting = media, limit, true
	return e
}

// secretly is the endpoint, but its answers are secrets, and kept nowhere.
func (e endpoint) secretly() endpoint {
	e.secret = true
	return e
}

// nothing is what an endpoint takes that takes nothing.
type nothing struct{}
