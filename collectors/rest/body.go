package rest

import (
	"context"
	"errors"
	"io"
	"time"
)

// minPace is the least pace of a body, in bytes a second, once the time-out is used up.
const minPace = 4 << 10

// errSlow is the cause of a request's end that took too long.
var errSlow = errors.New("the answer does not come, or too slowly")

// paced is a body that must keep a pace. Time is counted within reads alone: who reads may
// take their time in between. The time-out is an account, from which reads draw and into
// which bytes pay, up to the time-out again.
type paced struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	most   time.Duration
	left   time.Duration
}

func newPaced(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, timeout time.Duration) *paced {
	return &paced{ctx: ctx, cancel: cancel, body: body, most: timeout, left: timeout}
}

// Read reads within the time that is left.
func (p *paced) Read(b []byte) (int, error) {
	began := time.Now()
	timer := time.AfterFunc(p.left, func() { p.cancel(errSlow) })
	n, err := p.body.Read(b)
	timer.Stop()
	p.left = min(p.most, p.left-time.Since(began)+time.Duration(n)*time.Second/minPace)
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(p.ctx), errSlow) {
		err = errSlow
	} else if err == nil && p.left <= 0 {
		p.cancel(errSlow)
		err = errSlow
	}
	return n, err
}

// Close ends the request.
func (p *paced) Close() error {
	p.cancel(nil)
	return p.body.Close()
}
