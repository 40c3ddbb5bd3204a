package api

import "context"

// DoneOnce is what came of a write that is done once.
type DoneOnce struct {
	// Print is of what was asked: method, address and body.
	Print string
	// Answer is the body of the answer, Revision its revision, 0 for none.
	Answer   []byte
	Revision int
}

// Once keeps what came of writes, for a day, so that the same one that comes again is
// answered alike. Key is of who asks and of the key that they chose. It is bounded: of too
// many the oldest are forgotten.
type Once interface {
	// Answered returns what is kept under a key; ok is false for nothing.
	Answered(ctx context.Context, key string) (d DoneOnce, ok bool, err error)
	KeepAnswer(ctx context.Context, key string, d DoneOnce) error
}

type deedKey struct{}

// WithDeed returns a context in which a deed has this id: the same one is done once.
func WithDeed(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, deedKey{}, id)
}

// DeedOf returns the id of the deed in a context, empty for one that has none.
func DeedOf(ctx context.Context) string {
	id, _ := ctx.Value(deedKey{}).(string)
	return id
}
