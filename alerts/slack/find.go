package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// Bounds of a search.
const (
	// findPages and findPage bound how many messages are looked through: the latest.
	findPages, findPage = 5, 100
	// findBefore is how long before its time a message is looked for, since clocks
	// differ; findBack how far back at most.
	findBefore, findBack = 10 * time.Minute, 7 * 24 * time.Hour
)

// cantLook says that a search can't be made, so that a message may come twice.
const cantLook = "slack can't be asked whether a message was delivered already: after a crash one may come twice"

// Find looks whether a message was delivered by an attempt whose receipt was lost, and
// returns its receipt. Where the app may not read the channel it returns none, and says
// so once. Errors are as Notify's.
func (n *Notifier) Find(ctx context.Context, m alerts.Message) (string, error) {
	want, oldest := identity(&m), since(&m, time.Now())
	if parent, ok := parseReceipt(m.Parent); ok && m.Kind == alerts.KindReply {
		found, err := n.search(parent.channel, want, func(cursor string) ([]slack.Message, string, error) {
			ms, _, next, err := n.client.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
				ChannelID: parent.channel, Timestamp: parent.ts, Cursor: cursor, Oldest: oldest, Limit: findPage, Inclusive: true, IncludeAllMetadata: true,
			})
			return ms, next, err
		})
		if found != "" || err != nil {
			return found, err
		}
	}
	// Without an end Slack begins at the beginning.
	latest := stamp(time.Now().Add(findBefore))
	return n.search(n.cfg.Channel, want, func(cursor string) ([]slack.Message, string, error) {
		h, err := n.client.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: n.cfg.Channel, Cursor: cursor, Oldest: oldest, Latest: latest, Limit: findPage, Inclusive: true, IncludeAllMetadata: true,
		})
		if err != nil {
			return nil, "", err
		}
		return h.Messages, h.ResponseMetaData.NextCursor, nil
	})
}

func (n *Notifier) search(channel, want string, page func(cursor string) ([]slack.Message, string, error)) (string, error) {
	cursor := ""
	for range findPages {
		ms, next, err := page(cursor)
		if err != nil {
			return "", n.findFailed(err)
		}
		for i := range ms {
			if ms[i].Metadata.EventType != metadataType || ms[i].Metadata.EventPayload[metadataID] != want {
				continue
			}
			if r, err := receiptOf(channel, ms[i].Timestamp, nil); err == nil {
				r.file, r.mark = pictureOf(ms[i].Blocks.BlockSet)
				return r.String(), nil
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return "", nil
}

// pictureOf is the picture that a card shows, and its mark.
func pictureOf(blocks []slack.Block) (file, mark string) {
	for _, b := range blocks {
		image, ok := b.(*slack.ImageBlock)
		if !ok || image.SlackFile == nil {
			continue
		}
		if m, ours := strings.CutPrefix(image.BlockID, picturePrefix); ours && isID(m) && isID(image.SlackFile.ID) {
			return image.SlackFile.ID, m
		}
	}
	return "", ""
}

// findFailed tells what is worth a retry from what is not: to tell a message twice is
// better than not at all.
func (n *Notifier) findFailed(err error) error {
	switch slackCode(err) {
	case "missing_scope", "no_permission", "not_allowed_token_type", "access_denied":
		n.sayOnce(cantLook, slog.String("remedy", "add the scope "+historyScope+" (a private channel: groups:history) to the Slack app and install it again"))
		return nil
	case "channel_not_found", "not_in_channel", "thread_not_found", "message_not_found", "invalid_arguments":
		n.sayOnce(cantLook, slog.String("reason", slackCode(err)), slog.String("remedy", "give slack.channel by its ID and invite the app to it"))
		return nil
	}
	err = n.classify(err)
	if errors.Is(err, errUnreadable) {
		n.sayOnce(cantLook, slog.String("error", err.Error()))
		return nil
	}
	return err
}

// since is from when on a message is looked for.
func since(m *alerts.Message, now time.Time) string {
	var t time.Time
	switch {
	case m.Reply != nil:
		t = m.Reply.Time
	case m.Case != nil:
		t = m.Case.Opened
	case m.Digest != nil:
		t = m.Digest.To
	}
	if t = t.Add(-findBefore); t.Before(now.Add(-findBack)) || t.After(now) {
		t = now.Add(-findBack)
	}
	return stamp(t)
}

// stamp is a time as Slack's API takes it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.000000", t.Unix()) }
