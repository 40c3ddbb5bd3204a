package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// metadataType and metadataID are the form of the metadata by which Find knows a
// message of ours: it names its thread by a hash, and says nothing else.
const (
	metadataType = "vigil_message"
	metadataID   = "id"
)

// identity is the hash of what a message edits or is.
func identity(m *alerts.Message) string {
	sum := sha256.Sum256([]byte(m.Thread()))
	return hex.EncodeToString(sum[:16])
}

// Notify posts the message, or edits the one that its receipt names, and returns the
// receipt by which a later revision edits it. A reply goes below its parent. A case's
// picture follows its card; whatever becomes of it, the card is delivered. Errors are
// *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	draw := n.drawing(ctx, &m)
	old, edit := parseReceipt(m.Receipt)
	var r receipt
	var err error
	if edit {
		if r, err = n.edit(ctx, &m, old, draw); gone(err) {
			n.log.Info("the message to edit is gone; it is posted anew", slog.String("reason", slackCode(err)))
			edit = false
		}
	}
	if !edit {
		r, err = n.postNew(ctx, &m)
	}
	if err != nil {
		return "", n.classify(err)
	}
	return n.illustrate(ctx, &m, r, draw).String(), nil
}

// postNew posts a message, below its parent when it is a reply.
func (n *Notifier) postNew(ctx context.Context, m *alerts.Message) (receipt, error) {
	l := n.look()
	if m.Kind != alerts.KindReply {
		return n.postTo(ctx, n.cfg.Channel, m, l)
	}
	parent, ok := parseReceipt(m.Parent)
	if !ok {
		l.alone = true
		return n.postTo(ctx, n.cfg.Channel, m, l)
	}
	below := []slack.MsgOption{slack.MsgOptionTS(parent.ts)}
	if m.Reply != nil && m.Reply.Loud {
		below = append(below, slack.MsgOptionBroadcast())
	}
	r, err := n.postTo(ctx, parent.channel, m, l, below...)
	if parentGone(err) {
		n.log.Info("the card of a reply is gone; the reply is posted by itself", slog.String("reason", slackCode(err)))
		l.alone = true
		return n.postTo(ctx, n.cfg.Channel, m, l)
	}
	return r, err
}

func (n *Notifier) postTo(ctx context.Context, channel string, m *alerts.Message, l look, more ...slack.MsgOption) (receipt, error) {
	more = append(more, slack.MsgOptionMetadata(slack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{metadataID: identity(m)}}))
	r, err := n.post(ctx, channel, append(more, l.options(m)...))
	if err != nil && badBlocks(err) {
		// A card that Slack does not take must not keep the case from being told: its
		// words go as plain text.
		n.log.Warn("slack does not take the card's form; it is sent as text", slog.String("reason", slackCode(err)))
		r, err = n.post(ctx, channel, append(more, l.words(m)...))
	}
	return r, err
}

// edit replaces a message. When Slack refuses its picture, it goes without.
func (n *Notifier) edit(ctx context.Context, m *alerts.Message, old receipt, draw drawing) (receipt, error) {
	l := n.look()
	_, parented := parseReceipt(m.Parent)
	l.alone = m.Kind == alerts.KindReply && !parented
	if old.file != "" && old.state != pictureThread {
		if chart, ok := draw(); ok {
			l.file, l.mark, l.alt = old.file, old.mark, chart.Alt()
		}
	}
	r, err := n.update(ctx, old, l.options(m))
	if err != nil && badBlocks(err) && l.file != "" {
		l.file = ""
		if old.state == pictureRefused {
			old.state = pictureToThread
		} else {
			old.state = pictureRefused
		}
		r, err = n.update(ctx, old, l.options(m))
	} else if err == nil && l.file != "" {
		old.state = ""
	}
	if err != nil && badBlocks(err) {
		n.log.Warn("slack does not take the card's form; it is sent as text", slog.String("reason", slackCode(err)))
		r, err = n.update(ctx, old, l.words(m))
	}
	if err != nil {
		return receipt{}, err
	}
	r.file, r.mark, r.state = old.file, old.mark, old.state
	return r, nil
}

// sentError is a failure of a request that had left when it came.
type sentError struct{ error }

// Unwrap returns the failure.
func (e sentError) Unwrap() error { return e.error }

func (n *Notifier) post(ctx context.Context, channel string, opts []slack.MsgOption) (receipt, error) {
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }})
	channel, ts, err := n.client.PostMessageContext(ctx, channel, opts...)
	r, err := receiptOf(channel, ts, err)
	if err != nil && left.Load() {
		return r, sentError{err}
	}
	return r, err
}

func (n *Notifier) update(ctx context.Context, r receipt, opts []slack.MsgOption) (receipt, error) {
	channel, ts, _, err := n.client.UpdateMessageContext(ctx, r.channel, r.ts, opts...)
	return receiptOf(channel, ts, err)
}
