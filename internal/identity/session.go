package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// maxSessions bounds the sessions of one account: one more ends the one that is over
// first.
const maxSessions = 20

// session is what is kept of a browser that has signed in.
type session struct {
	// ID names it to its owner, and opens nothing.
	ID string `json:"id"`
	By string `json:"by"`
	// Generation is that of the account when it was begun, Roles what they were then.
	Generation int64  `json:"generation"`
	Roles      string `json:"roles"`
	// Provider says that they came by the provider.
	Provider bool `json:"provider,omitempty"`
	// Begun is when, Signed when they last proved who they are, Seen when they last asked
	// for something themselves.
	Begun  time.Time `json:"begun"`
	Signed time.Time `json:"signed"`
	Seen   time.Time `json:"seen"`
}

// sessionKey is under what the session library keeps it.
const sessionKey = "session"

// codec writes a session as JSON, so that whose it is can be told without the library.
type codec struct{}

type packed struct {
	Deadline time.Time       `json:"deadline"`
	Session  json.RawMessage `json:"session,omitempty"`
}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	p := packed{Deadline: deadline}
	if v, ok := values[sessionKey].(string); ok {
		p.Session = json.RawMessage(v)
	}
	return json.Marshal(p)
}

// Decode implements scs.Codec.
func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var p packed
	if err := json.Unmarshal(data, &p); err != nil {
		return time.Time{}, nil, fmt.Errorf("read session: %w", err)
	}
	values := map[string]any{}
	if len(p.Session) > 0 {
		values[sessionKey] = string(p.Session)
	}
	return p.Deadline, values, nil
}

// sessions keeps what the session library hands over; its keys are hashes of the
// tokens already.
type sessions struct{ store Store }

// FindCtx implements scs.CtxStore.
func (s sessions) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	r, err := s.store.Credential(ctx, record.KindSession, key)
	if errors.Is(err, api.ErrNotFound) {
		return nil, false, nil
	}
	return r.Data, err == nil, err
}

// CommitCtx implements scs.CtxStore.
func (s sessions) CommitCtx(ctx context.Context, key string, data []byte, ends time.Time) error {
	var p packed
	var one session
	err := json.Unmarshal(data, &p)
	if err == nil {
		err = json.Unmarshal(p.Session, &one)
	}
	if err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	c := record.Change{Record: record.Record{Kind: record.KindSession, Key: key, Owner: one.By, Ends: ends, Data: data}}
	if ctx.Value(beginning{}) == nil {
		// One that was ended meanwhile must not come to life again.
		r, err := s.store.Credential(ctx, record.KindSession, key)
		if err != nil {
			return ended(err)
		}
		c.Was = r.Version
	}
	return ended(s.store.ChangeCredentials(ctx, c))
}

// beginning marks the context in which a new session is kept.
type beginning struct{}

// ended lets pass that a session is over, or was kept by another request at the same time.
func ended(err error) error {
	if errors.Is(err, api.ErrNotFound) || errors.Is(err, record.ErrChanged) {
		return nil
	}
	return err
}

// DeleteCtx implements scs.CtxStore.
func (s sessions) DeleteCtx(ctx context.Context, key string) error {
	return s.store.ChangeCredentials(ctx, record.Change{Record: record.Record{Kind: record.KindSession, Key: key}, Delete: true, Was: record.Any})
}

// Find, Commit and Delete are never called where those with a context are there.

// Find implements scs.Store.
func (s sessions) Find(key string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), key)
}

// Commit implements scs.Store.
func (s sessions) Commit(key string, data []byte, ends time.Time) error {
	return s.CommitCtx(context.Background(), key, data, ends)
}

// Delete implements scs.Store.
func (s sessions) Delete(key string) error { return s.DeleteCtx(context.Background(), key) }

// sessionOf reads one that is kept.
func sessionOf(r record.Record) (one session, err error) {
	var p packed
	if err := json.Unmarshal(r.Data, &p); err != nil {
		return one, err
	}
	err = json.Unmarshal(p.Session, &one)
	return one, err
}
