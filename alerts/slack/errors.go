package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// maxAfter bounds the wait that a server may ask for.
const maxAfter = time.Hour

// remedies are Slack's codes that no retry mends, for any message, with what an
// operator can do.
var remedies = map[string]string{
	"invalid_auth":                        "the token is not valid: copy the bot token (xoxb-...) again from the Slack app's page",
	"not_authed":                          "no token was given: set slack.token",
	"account_inactive":                    "the token's app or workspace was removed: install the Slack app again and set its new token",
	"token_revoked":                       "the token was revoked: install the Slack app again and set its new token",
	"token_expired":                       "the token has expired: set a new one, or switch off token rotation for the Slack app",
	"not_allowed_token_type":              "the token is of the wrong kind: use the bot token (xoxb-...)",
	"missing_scope":                       "the Slack app lacks a permission: add the scope chat:write and install it again",
	"no_permission":                       "the Slack app lacks a permission: add the scope chat:write and install it again",
	"channel_not_found":                   "the channel does not exist, or it is private and the app is not in it: check slack.channel (the channel's ID) and invite the app",
	"not_in_channel":                      "the app is not in the channel: invite it there with /invite",
	"is_archived":                         "the channel is archived: unarchive it, or choose another in slack.channel",
	"is_inactive":                         "the channel is archived or frozen: choose another in slack.channel",
	"restricted_action":                   "the workspace's settings forbid the app to post there: ask an administrator, or choose another channel",
	"team_access_not_granted":             "the token was not granted this workspace: install the Slack app in it",
	"access_denied":                       "the workspace denies the app: ask an administrator to approve it",
	"ekm_access_denied":                   "the workspace's administrators suspended posting: ask them",
	"org_login_required":                  "the workspace is being moved to an organisation: install the Slack app again afterwards",
	"enterprise_is_restricted":            "the organisation denies the app: ask an administrator to approve it",
	"restricted_action_read_only_channel": "the channel is read-only: choose another in slack.channel",
}

// ofMessage are Slack's codes that no retry mends for this message.
var ofMessage = map[string]bool{
	"msg_too_long": true, "no_text": true, "invalid_arguments": true, "invalid_arg_name": true, "invalid_array_arg": true,
	"invalid_charset": true, "invalid_form_data": true, "as_user_not_supported": true,
	"restricted_action_non_threadable_channel": true, "restricted_action_thread_only_channel": true,
}

// slackCode is Slack's own code in an error, or "".
func slackCode(err error) string {
	var se slack.SlackErrorResponse
	if errors.As(err, &se) {
		return se.Err
	}
	return ""
}

// gone tells that a message can't be edited any more, so that it must be posted.
func gone(err error) bool {
	switch slackCode(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "not_in_channel", "is_inactive", "is_archived":
		// The last four: the receipt may be of a channel that vigil told before.
		return true
	}
	return false
}

// parentGone tells that nothing can be posted below a message any more.
func parentGone(err error) bool {
	switch slackCode(err) {
	case "thread_not_found", "invalid_thread_ts", "cannot_reply_to_message", "thread_locked", "restricted_action_non_threadable_channel":
		return true
	}
	return gone(err)
}

// errUnreadable is an answer that is not Slack's.
var errUnreadable = errors.New("slack's answer can't be read")

// badBlocks tells that Slack objects to the card's form.
func badBlocks(err error) bool {
	switch slackCode(err) {
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "too_many_attachments":
		return true
	}
	return false
}

// classify turns the library's error into one of the pipeline's, whose text
// can't hold the token.
func (n *Notifier) classify(err error) error {
	if err == nil {
		return nil
	}
	code := slackCode(err)
	if remedy, ok := remedies[code]; ok {
		var se slack.SlackErrorResponse
		if errors.As(err, &se) && code == "missing_scope" && se.Needed != "" {
			remedy = fmt.Sprintf("the Slack app lacks a permission: add the scope %q and install it again", n.scrub(se.Needed))
		}
		return &alerts.RefusedError{Err: fmt.Errorf("slack says %s", code), Remedy: remedy, All: true}
	}
	if ofMessage[code] || badBlocks(err) {
		return &alerts.RefusedError{Err: fmt.Errorf("slack does not take the message (%s)", code), Remedy: "please report it, with the finding's ID"}
	}
	// What had left may have been taken, unless Slack says that it was not.
	var left sentError
	sent := errors.As(err, &left)
	switch code {
	case "":
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		// By Slack's own words some of it may have been done.
		return &alerts.RetryError{Err: fmt.Errorf("slack says %q", code), InDoubt: sent}
	default:
		return &alerts.RetryError{Err: fmt.Errorf("slack says %q", n.scrub(code))}
	}

	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return &alerts.RetryError{Err: errors.New("slack asks to wait (429)"), After: sane(limited.RetryAfter)}
	}
	// The library reads Retry-After as a number and says so when it is none.
	if num := (*strconv.NumError)(nil); errors.As(err, &num) {
		return &alerts.RetryError{Err: errors.New("slack asks to wait (429), and does not say for how long")}
	}
	var status slack.StatusCodeError
	if errors.As(err, &status) {
		text := fmt.Sprintf("slack answers with HTTP status %d", status.Code)
		switch c := status.Code; {
		case c == http.StatusTooManyRequests || c >= 500:
		case c >= 300 && c < 400:
			text += ": a redirect is not followed, check slack.api_url and the proxy"
		default:
			text += ": check slack.api_url and the proxy"
		}
		return &alerts.RetryError{Err: errors.New(text), InDoubt: sent && status.Code >= 500}
	}
	if errors.Is(err, errNoReceipt) {
		return &alerts.RetryError{Err: errNoReceipt, InDoubt: sent}
	}
	// What is left is the network's, or an answer that is not Slack's. The
	// address goes, since net/http repeats it with the cause.
	var ue *url.Error
	if errors.As(err, &ue) {
		if ue.Timeout() {
			return &alerts.RetryError{Err: errors.New("slack does not answer in time"), InDoubt: sent}
		}
		return &alerts.RetryError{Err: fmt.Errorf("slack can't be reached: %s", n.scrub(ue.Err.Error())), InDoubt: sent}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &alerts.RetryError{Err: errors.New("slack does not answer in time"), InDoubt: sent}
	}
	text := n.scrub(err.Error())
	if strings.Contains(text, "://") {
		text = "it names an address" // which may be one that nobody but we should have
	}
	return &alerts.RetryError{Err: fmt.Errorf("%w: %s", errUnreadable, text), InDoubt: sent}
}

// sane bounds a wait; what makes no sense becomes zero, and the pipeline's own
// back-off holds.
func sane(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return min(d, maxAfter)
}

// scrub makes foreign text fit for an error: one line, short, without the token.
func (n *Notifier) scrub(s string) string {
	s = strings.ReplaceAll(s, string(n.cfg.Token), redacted)
	return alerts.Cut(alerts.Clean(s), 300)
}
