package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/ocsf"
)

const (
	// maxWaiting bounds the events that are remembered to be not indexed yet, ackAge for
	// how long: then an event is sent again.
	maxWaiting = 1000
	ackAge     = 5 * time.Minute
)

// ack is by what Splunk knows an event that it took.
type ack struct {
	id    int64
	since time.Time
}

// Notify posts the message's event and returns its uid. A message that a SIEM is not told
// is done with, without a receipt. Errors are *alerts.RetryError, or *alerts.RefusedError
// for what can't be an event or is none to the endpoint.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	e, err := n.enc.Event(m)
	switch {
	case errors.Is(err, ocsf.ErrNoEvent):
		return "", nil
	case err != nil:
		return "", &alerts.RefusedError{Err: err, Remedy: "please report it, with the finding's ID"}
	}
	if n.cfg.Acknowledge {
		if id, ok := n.sent(e.UID); ok {
			return receipt(e.UID, n.indexed(ctx, e.UID, id))
		}
	}
	body, err := n.body(&e)
	if err != nil {
		return "", &alerts.RefusedError{Err: err, Remedy: "please report it, with the finding's ID"}
	}
	answer, err := n.http.Post(ctx, n.cfg.URL, n.header, body)
	if err != nil {
		return "", n.failed(err, &answer)
	}
	if !n.cfg.Acknowledge {
		return e.UID, nil
	}
	var took struct {
		AckID *int64 `json:"ackId"`
	}
	if err := answer.JSON(&took); err != nil {
		return "", err
	}
	if took.AckID == nil {
		return "", &alerts.RetryError{Err: errors.New("siem http: Splunk took the event and gives no acknowledgement: make the token with indexer acknowledgement, or say acknowledge: false"), InDoubt: true}
	}
	n.remember(e.UID, *took.AckID)
	if err := n.indexed(ctx, e.UID, *took.AckID); err != nil {
		return "", err
	}
	return e.UID, nil
}

// body puts the event into the format.
func (n *Notifier) body(e *ocsf.Event) ([]byte, error) {
	body := e.JSON
	switch n.cfg.Format {
	case NDJSON:
		body = append(body, '\n')
	case Array:
		body = append(append([]byte{'['}, body...), ']')
	case Splunk:
		ms := e.Time.UnixMilli()
		var err error
		body, err = json.Marshal(struct {
			Time       json.Number     `json:"time"`
			Host       string          `json:"host,omitempty"`
			Source     string          `json:"source"`
			SourceType string          `json:"sourcetype"`
			Index      string          `json:"index,omitempty"`
			Event      json.RawMessage `json:"event"`
		}{json.Number(strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)), n.cfg.Host, n.cfg.Source, n.cfg.SourceType, n.cfg.Index, e.JSON})
		if err != nil {
			return nil, fmt.Errorf("siem http: make the envelope: %w", err)
		}
	}
	if !n.cfg.Gzip {
		return body, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// A buffer takes everything.
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes(), nil
}

// failed says what a request that failed means for its event: only what the endpoint
// holds against this one event is for good.
func (n *Notifier) failed(err error, a *outbound.Answer) error {
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	if !refused.All {
		switch a.Status {
		case http.StatusRequestEntityTooLarge:
			refused.Remedy = "lower max_bytes"
			return refused
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			if n.cfg.Format != Splunk || n.ofEvent(a) {
				return refused
			}
		}
	}
	return &alerts.RetryError{Err: err}
}

// ofEvent says whether a Splunk refuses the event itself, rather than what is configured.
func (n *Notifier) ofEvent(a *outbound.Answer) bool {
	switch splunkCode(a) {
	case 6, 12, 13, 15: // invalid format, no event, blank event, indexed fields
		return true
	}
	return false
}

// splunkCode is the collector's own code in its answer, -1 for none.
func splunkCode(a *outbound.Answer) int {
	var s struct {
		Code *int `json:"code"`
	}
	if json.Unmarshal(a.Body, &s) != nil || s.Code == nil {
		return -1
	}
	return *s.Code
}

// sent is by what Splunk knows an event that it took in an earlier attempt.
func (n *Notifier) sent(uid string) (int64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.waiting[uid]
	if ok && n.opts.Now().Sub(a.since) > ackAge {
		delete(n.waiting, uid)
		return 0, false
	}
	return a.id, ok
}

func (n *Notifier) remember(uid string, id int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= maxWaiting {
		// What is forgotten is at worst sent again.
		clear(n.waiting)
	}
	n.waiting[uid] = ack{id, n.opts.Now()}
}

// indexed waits until Splunk says that it has indexed the event, or ctx ends.
func (n *Notifier) indexed(ctx context.Context, uid string, id int64) error {
	header := n.header.Clone()
	header.Del("Content-Encoding")
	ask := fmt.Appendf(nil, `{"acks":[%d]}`, id)
	wait := time.NewTicker(n.poll)
	defer wait.Stop()
	for {
		answer, err := n.http.Post(ctx, outbound.Secret(n.ackURL), header, ask)
		if err != nil {
			return &alerts.RetryError{Err: fmt.Errorf("ask whether the event is indexed: %w", err), InDoubt: true}
		}
		var said struct {
			Acks map[string]bool `json:"acks"`
		}
		if err := answer.JSON(&said); err != nil {
			return err
		}
		if said.Acks[strconv.FormatInt(id, 10)] {
			n.mu.Lock()
			delete(n.waiting, uid)
			n.mu.Unlock()
			return nil
		}
		select {
		case <-ctx.Done():
			return &alerts.RetryError{Err: errors.New("siem http: Splunk took the event and has not indexed it yet"), InDoubt: true}
		case <-wait.C:
		}
	}
}

// Check reaches the endpoint, and asks a Splunk whether it takes the token; no event is
// sent.
func (n *Notifier) Check(ctx context.Context) error {
	if n.cfg.Format != Splunk {
		return n.http.Reach(ctx, n.cfg.URL)
	}
	header := n.header.Clone()
	header.Del("Content-Encoding")
	answer, err := n.http.Post(ctx, n.cfg.URL, header, nil)
	// It answers "no data" only to who may bring some.
	if err != nil && answer.Status == http.StatusBadRequest && splunkCode(&answer) == 5 {
		return nil
	}
	return err
}

// receipt is a uid where nothing went wrong.
func receipt(uid string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return uid, nil
}
