package talk

import (
	"context"
	"errors"
	"fmt"
)

// home is the workspace that the bot token is of, and the organisation of that one, empty
// where it belongs to none.
type home struct{ team, org string }

// home asks Slack once which workspace the token is of. A member's id is theirs only there:
// in a channel that is shared with another company, its people can press too.
func (t *Talk) home(ctx context.Context) (home, error) {
	if h := t.ours.Load(); h != nil {
		return *h, nil
	}
	var h home
	err := t.call(ctx, func(ctx context.Context) error {
		a, err := t.api.AuthTestContext(ctx)
		if err == nil {
			h = home{a.TeamID, a.EnterpriseID}
		}
		return err
	})
	if err == nil && h.team == "" {
		err = errors.New("its answer names none")
	}
	if err != nil {
		return home{}, fmt.Errorf("ask Slack which workspace the token is of: %s", t.plainly(err))
	}
	t.ours.Store(&h)
	return h, nil
}

// Workspace is the one in which people are asked: that of the bot token.
func (t *Talk) Workspace(ctx context.Context) (string, error) {
	h, err := t.home(ctx)
	return h.team, err
}

// has reports whether somebody who acts by way of a workspace is of this one. Slack names
// the organisation in its place for those who are in several workspaces of it.
func (h home) has(workspace string) bool {
	return workspace == h.team || h.org != "" && workspace == h.org
}
