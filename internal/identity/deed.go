package identity

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// deedFor is how long it is remembered that a deed was done.
const deedFor = 24 * time.Hour

var errDone = fmt.Errorf("%w: this was done already, and what it made can't be used any more: begin anew", api.ErrRefused)

// deed is one that makes a secret, and is done once: a form that is sent twice, or a
// request whose answer was lost, makes one secret and not two. The secret follows from the
// deed's id and a key of ours, so that it can be told again although it is kept nowhere.
type deed struct {
	secret string
	// key is under what it is remembered; empty for a deed that can't come again.
	key string
}

// deedOf is the deed of a context, of somebody who makes a thing of a kind.
func (s *Service) deedOf(ctx context.Context, who string, kind record.Kind) deed {
	id := api.DeedOf(ctx)
	if id == "" {
		return deed{secret: newSecret()}
	}
	h := hmac.New(sha256.New, s.keys.deeds)
	for _, part := range []string{who, string(kind), id} {
		_, _ = h.Write(append([]byte(part), 0)) // a hash never fails
	}
	secret := base32.NewEncoding(letters).WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20])
	return deed{secret: secret, key: digest("deed " + secret)}
}

// done returns what a deed made before; ok is false where it was not done yet.
func (s *Service) done(ctx context.Context, d deed, kind record.Kind, made string) (r record.Record, ok bool, err error) {
	if d.key == "" {
		return r, false, nil
	}
	if r, err = s.opts.Store.Credential(ctx, kind, made); !errors.Is(err, api.ErrNotFound) {
		return r, err == nil, err
	}
	if _, err = s.opts.Store.Credential(ctx, record.KindDeed, d.key); errors.Is(err, api.ErrNotFound) {
		return r, false, nil
	}
	return r, false, cmp.Or(err, errDone)
}

// remembered are changes together with what keeps the deed from being done twice.
func (s *Service) remembered(d deed, who string, changes ...record.Change) []record.Change {
	if d.key == "" {
		return changes
	}
	return append(changes, record.Change{Record: record.Record{
		Kind: record.KindDeed, Key: d.key, Owner: who, Ends: s.now().Add(deedFor), Data: []byte("{}"),
	}})
}
