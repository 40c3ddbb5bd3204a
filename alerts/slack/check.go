package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

const historyScope = "channels:history"

// feature is something that works only with certain scopes: one of each list.
type feature struct {
	what   string
	scopes [][]string
	// interactive says that it is needed only with buttons.
	interactive bool
}

var features = []feature{
	{what: "pictures on cards", scopes: [][]string{{"files:write"}}},
	{what: "looking, after a crash, whether a message was delivered", scopes: [][]string{{historyScope, "groups:history"}}},
	{what: "the command /vigil", scopes: [][]string{{"commands"}}, interactive: true},
	{what: "asking the person whom a case is about", scopes: [][]string{{"im:write"}}, interactive: true},
	{what: "knowing who pressed a button", scopes: [][]string{{"users:read"}, {"users:read.email"}}, interactive: true},
}

// Check asks Slack whether messages can be told: that the token is valid and may post,
// and that the channel is there and open to the app. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	_, err := n.Inspect(ctx)
	return err
}

// Inspect is Check, and notes what else an operator should know, one sentence each: a
// feature for which the app lacks a scope, a channel that everybody can read.
func (n *Notifier) Inspect(ctx context.Context) (notes []string, err error) {
	auth, err := n.client.AuthTestContext(ctx)
	if err != nil {
		return nil, n.classify(err)
	}
	scopes, told := scopesOf(auth.Header)
	if told {
		if !slices.Contains(scopes, "chat:write") {
			return nil, &alerts.RefusedError{Err: errors.New("the Slack app may not post"), Remedy: remedies["missing_scope"], All: true}
		}
		for _, f := range features {
			if f.interactive && !n.cfg.Interactive || n.cfg.NoPictures && f.what == features[0].what {
				continue
			}
			for _, anyOf := range f.scopes {
				if !slices.ContainsFunc(anyOf, func(s string) bool { return slices.Contains(scopes, s) }) {
					notes = append(notes, fmt.Sprintf("%s needs the scope %s: add it to the Slack app and install it again", f.what, strings.Join(anyOf, " or ")))
				}
			}
		}
	}
	note, err := n.inspectChannel(ctx, scopes)
	if err != nil {
		return notes, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	return notes, nil
}

// inspectChannel looks at the channel as far as the app may.
func (n *Notifier) inspectChannel(ctx context.Context, scopes []string) (note string, err error) {
	c, err := n.client.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: n.cfg.Channel})
	switch code := slackCode(err); {
	case err == nil:
	case code == "missing_scope" || code == "no_permission":
		return "the channel can't be looked at: add the scopes channels:read and groups:read, or see yourself that it is private and that the app is in it", nil
	case code == "channel_not_found" && strings.ToUpper(n.cfg.Channel) != n.cfg.Channel:
		return "the channel is given by its name, so that it can't be looked at: give its ID, such as C0123ABC", nil
	default:
		return "", n.classify(err)
	}
	switch {
	case c.ID == "":
		return "the channel can't be looked at: slack's answer names none", nil
	case c.IsArchived:
		return "", &alerts.RefusedError{Err: errors.New("slack says is_archived"), Remedy: remedies["is_archived"], All: true}
	case c.IsIM || c.IsMpIM:
		return "", nil
	case !c.IsMember && (c.IsPrivate || !slices.Contains(scopes, "chat:write.public")):
		return "", &alerts.RefusedError{Err: errors.New("slack says not_in_channel"), Remedy: remedies["not_in_channel"], All: true}
	case !c.IsPrivate:
		return "the channel is public: findings would be readable by everybody in the workspace; make it private", nil
	}
	return "", nil
}

// scopesOf are the token's scopes, as Slack tells them with each answer.
func scopesOf(h http.Header) (scopes []string, told bool) {
	v := h.Get("X-OAuth-Scopes")
	for s := range strings.SplitSeq(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			scopes = append(scopes, s)
		}
	}
	return scopes, len(scopes) > 0
}
