package talk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// call calls Slack, and once more when it asks to wait and there is time for it.
func (t *Talk) call(ctx context.Context, f func(context.Context) error) error {
	err := f(ctx)
	var limited *slack.RateLimitedError
	if !errors.As(err, &limited) {
		return err
	}
	t.counts.add("limited")
	if end, ok := ctx.Deadline(); ok && limited.RetryAfter >= time.Until(end) {
		return err
	}
	if werr := t.wait(ctx, max(0, limited.RetryAfter)); werr != nil {
		return err
	}
	return f(ctx)
}

// open opens a dialogue and returns its id.
func (t *Talk) open(ctx context.Context, trigger string, v slack.ModalViewRequest) (string, error) {
	var id string
	err := t.call(ctx, func(ctx context.Context) error {
		resp, err := t.api.OpenViewContext(ctx, trigger, v)
		if err == nil {
			id = resp.ID
		}
		return err
	})
	return id, err
}

// replace shows another page of a dialogue. That it was closed meanwhile is no error.
func (t *Talk) replace(ctx context.Context, view string, v slack.ModalViewRequest) {
	err := t.call(ctx, func(ctx context.Context) error {
		_, err := t.api.UpdateViewContext(ctx, v, "", "", view)
		return err
	})
	if err != nil && code(err) != "not_found" {
		t.untold("a dialogue can't be updated", err)
	}
}

// say tells somebody, and nobody else, what came of what they did, where they did it.
func (t *Talk) say(ctx context.Context, to alerts.Person, at place, m message) {
	if at.Channel == "" {
		t.untold("there is no channel to answer in", nil)
		return
	}
	opts := m.options()
	if at.Thread != "" {
		opts = append(opts, slack.MsgOptionTS(at.Thread))
	}
	err := t.call(ctx, func(ctx context.Context) error {
		_, err := t.api.PostEphemeralContext(ctx, at.Channel, to.ID, opts...)
		return err
	})
	if err != nil {
		t.untold("an answer can't be shown", err)
	}
}

// later answers a command whose answer came too late for Slack's own.
func (t *Talk) later(ctx context.Context, to string, m message) {
	if !t.slacks(to) {
		t.untold("a command's answer has nowhere to go", nil)
		return
	}
	body, err := json.Marshal(m.answer())
	if err != nil {
		t.untold("a command's answer can't be written", err)
		return
	}
	err = t.call(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
		if err != nil {
			return errors.New("its address is none")
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := t.http.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
		}
		return nil
	})
	if err != nil {
		t.untold("a command's answer can't be sent", err)
	}
}

// slacks reports whether an address to answer at is Slack's, or that of the API that
// is set: nothing else is called, whatever a request says.
func (t *Talk) slacks(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return false
	}
	if u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks.slack-gov.com") {
		return true
	}
	api, err := url.Parse(t.cfg.APIURL)
	return err == nil && u.Scheme == api.Scheme && u.Host == api.Host
}

// untold logs that somebody was not told.
func (t *Talk) untold(what string, err error) {
	t.counts.add("untold")
	attrs := []any{}
	if err != nil {
		attrs = append(attrs, slog.String("reason", t.plainly(err)))
	}
	t.log.Warn("slack: "+what, attrs...)
}

// code is Slack's own code in an error, or "".
func code(err error) string {
	var se slack.SlackErrorResponse
	if errors.As(err, &se) {
		return se.Err
	}
	return ""
}

// plainly says an error of the library's without addresses, which may hold secrets.
func (t *Talk) plainly(err error) string {
	if c := code(err); c != "" {
		if remedy, ok := remedies[c]; ok {
			return fmt.Sprintf("slack says %s: %s", c, remedy)
		}
		return fmt.Sprintf("slack says %q", t.scrub(c))
	}
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return "slack asks to wait (429)"
	}
	var status slack.StatusCodeError
	if errors.As(err, &status) {
		return fmt.Sprintf("slack answers with HTTP status %d", status.Code)
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		if ue.Timeout() {
			return "slack does not answer in time"
		}
		return "slack can't be reached: " + t.scrub(ue.Err.Error())
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "there was no time left"
	}
	return t.scrub(err.Error())
}

// remedies are the codes that an operator can do something about.
var remedies = map[string]string{
	"invalid_auth":           "the token is not valid: copy it again from the Slack app's page",
	"not_authed":             "no token was given: copy it from the Slack app's page",
	"account_inactive":       "the token's app or workspace was removed: install the Slack app again and set its new tokens",
	"token_revoked":          "the token was revoked: install the Slack app again and set its new tokens",
	"token_expired":          "the token has expired: set a new one, or switch off token rotation for the Slack app",
	"not_allowed_token_type": "the token is of the wrong kind: the app token begins with xapp- and has the scope connections:write, the bot token begins with xoxb-",
	"no_permission":          "the token lacks a permission: an app token needs the scope connections:write",
	"missing_scope":          "the Slack app lacks a permission: compare its scopes with those of its manifest and install it again",
	"access_denied":          "the workspace denies the app: ask an administrator to approve it",
	"app_not_installed":      "the app is not installed in the workspace: install it",
	"user_not_in_channel":    "who pressed is not in the channel",
	"not_in_channel":         "the app is not in the channel: invite it there with /invite",
	"channel_not_found":      "the channel is private and the app is not in it: invite it there with /invite",
	"expired_trigger_id":     "the press came too late: vigil or the way to it is slow",
	"exchanged_trigger_id":   "the press was used before",
}
