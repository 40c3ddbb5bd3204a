package slacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Press is somebody's press of a button on a case's card.
type Press struct {
	// User is who presses, Action the button's action_id, Value its value and Block its
	// block.
	User, Action, Value, Block string
	// Message is the ts of the card.
	Message string
	// Serial makes it another press than the one before.
	Serial int
	// Respond is where it is answered.
	Respond string
}

// Request is the press as Slack posts it to an address, signed with a secret at a time.
func (p *Press) Request(address, secret string, at time.Time) (*http.Request, error) {
	raw, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]any{"id": p.User, "team_id": Team}, "team": map[string]any{"id": Team},
		"trigger_id": fmt.Sprintf("trigger-%d", p.Serial), "response_url": p.Respond, "channel": map[string]any{"id": Channel},
		"message":   map[string]any{"text": "a card", "ts": p.Message},
		"container": map[string]any{"type": "message", "channel_id": Channel, "message_ts": p.Message},
		"actions": []any{map[string]any{
			"type": "button", "action_id": p.Action, "block_id": p.Block, "value": p.Value, "action_ts": fmt.Sprintf("%d.%06d", at.Unix(), p.Serial),
		}},
	})
	if err != nil {
		return nil, err
	}
	body := url.Values{"payload": {string(raw)}}.Encode()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body)) //nolint:noctx // the caller gives it one
	if err != nil {
		return nil, err
	}
	ts := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte("v0:" + ts + ":" + body)) // a hash takes everything
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", ts)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r, nil
}
