package slack

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
	"vigil/alerts/picture"
)

const (
	// pictureTime bounds what is done for a picture, after its card was sent.
	pictureTime = 6 * time.Second
	// timelineTime bounds asking for a timeline.
	timelineTime = 2 * time.Second
	// settle is how long Slack gets to look at a file before it is asked a second time
	// to show it.
	settle = 1500 * time.Millisecond
	// pauseShort and pauseLong are for how long no picture is tried after one failed,
	// and after Slack said that the app may not.
	pauseShort, pauseLong = time.Minute, time.Hour
)

// picturePrefix begins the block_id of a card's picture; the picture's mark follows, so
// that Find can tell which one it is.
const picturePrefix = "vigil.picture/"

// drawing makes a message's chart, once; it reports false when there is none to show.
type drawing func() (picture.Chart, bool)

func (n *Notifier) drawing(ctx context.Context, m *alerts.Message) drawing {
	return sync.OnceValues(func() (picture.Chart, bool) {
		if n.cfg.NoPictures || m.Kind != alerts.KindCase {
			return picture.Chart{}, false
		}
		var t *picture.Timeline
		if n.timeline != nil && m.Finding != nil {
			ctx, cancel := context.WithTimeout(ctx, timelineTime)
			defer cancel()
			t = n.timeline(ctx, m.Finding)
		}
		return picture.Of(alerts.CardOf(*m, "").Bars, t)
	})
}

// illustrate puts a picture onto a card that stands, when there is one that shows
// something new, and returns the card's receipt. It fails by leaving the card as it is.
func (n *Notifier) illustrate(ctx context.Context, m *alerts.Message, r receipt, draw drawing) receipt {
	if r.state == pictureThread || r.state == pictureRefused || n.pausing(time.Now()) {
		if r.state == pictureToThread {
			r.state = pictureRefused
		}
		return r
	}
	chart, ok := draw()
	if !ok {
		return r
	}
	mark := chart.Mark()
	if r.state == "" && r.file != "" && r.mark == mark {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	if r.state == pictureToThread {
		if _, err := n.upload(ctx, &chart, r); err != nil {
			n.noPicture(err)
		}
		r.state = pictureThread // tried once: a picture is not worth a second message
		return r
	}
	file, err := n.upload(ctx, &chart, receipt{})
	if err != nil {
		n.noPicture(err)
		return r
	}
	l := n.look()
	l.file, l.mark, l.alt = file, mark, chart.Alt()
	for try := range 2 {
		if try > 0 && pause(ctx, n.settle) != nil {
			break
		}
		if _, err = n.update(ctx, r, l.options(m)); err == nil || !badBlocks(err) {
			break
		}
	}
	r.file, r.mark = file, mark
	if err != nil {
		// Slack takes its time with some files: the next revision tries it again.
		r.state = pictureRefused
		if !badBlocks(err) {
			n.noPicture(err)
		}
	}
	return r
}

// upload gives Slack the picture and returns the file's ID. It is shared below the
// message of a receipt, if there is one.
func (n *Notifier) upload(ctx context.Context, c *picture.Chart, below receipt) (string, error) {
	png, err := c.PNG()
	if err != nil {
		return "", err
	}
	f, err := n.client.UploadFileContext(ctx, slack.UploadFileParameters{
		Reader: bytes.NewReader(png), FileSize: len(png), Filename: "seen-against-expected.png",
		Title: "Seen against expected", AltTxt: c.Alt(), Channel: below.channel, ThreadTimestamp: below.ts,
	})
	if err != nil {
		return "", err
	}
	if !isID(f.ID) || len(f.ID) > 32 {
		return "", errors.New("the answer is not Slack's: it names no file")
	}
	return f.ID, nil
}

// noPicture says why cards go without pictures, when that changes, and leaves them out
// for a while.
func (n *Notifier) noPicture(err error) {
	wait, remedy := pauseShort, "cards go without pictures for a minute"
	switch code := slackCode(err); code {
	case "missing_scope", "no_permission", "not_allowed_token_type", "file_uploads_disabled", "file_uploads_except_images_disabled", "restricted_action", "access_denied":
		wait, remedy = pauseLong, "add the scope files:write to the Slack app and install it again, or set slack.no_pictures to true"
	case "storage_limit_reached", "team_quota_exceeded":
		wait, remedy = pauseLong, "the workspace has no room for files: make some, or set slack.no_pictures to true"
	}
	said := n.classify(err).Error()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.noPictures = time.Now().Add(wait)
	if said == n.noPictureSaid {
		return
	}
	n.noPictureSaid = said
	n.log.Warn("a card goes without its picture", slog.String("error", said), slog.String("remedy", remedy))
}

func (n *Notifier) pausing(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return now.Before(n.noPictures)
}

// sayOnce logs what an operator should know, once.
func (n *Notifier) sayOnce(what string, args ...any) {
	n.mu.Lock()
	told := n.said[what]
	n.said[what] = true
	n.mu.Unlock()
	if !told {
		n.log.Warn(what, args...)
	}
}

// pause waits, unless it is cancelled.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
