package rest

import (
	"context"
	"net/http"
	"reflect"

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
}

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

// nothing is what an endpoint takes that takes nothing.
type nothing struct{}
