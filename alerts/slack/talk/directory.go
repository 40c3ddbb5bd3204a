package talk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
)

// Bounds of a directory.
const (
	// MaxMembers is how many accounts List returns at most.
	MaxMembers = 50_000
	pageSize   = 200
	// maxPages ends a list that does not end: accounts that are left out fill pages too.
	maxPages = 5 * MaxMembers / pageSize
	// maxWaits is how often one page may be waited for, maxWait for how long.
	maxWaits = 5
	maxWait  = 2 * time.Minute
)

// Member is a person's account in the workspace.
type Member struct {
	// ID is the account's, Workspace that of the workspace it belongs to.
	ID, Workspace string
	// Email is the address that the account is confirmed for; empty for guests without
	// one.
	Email string
	// Name is the person's full name; it may be empty.
	Name string
}

// Directory lists who is in the workspace, by which an actor of a log is found in
// Slack. It keeps nothing.
type Directory struct{ t *Talk }

// Directory returns the workspace's.
func (t *Talk) Directory() Directory { return Directory{t} }

// List returns the people's accounts: not programs', not deactivated ones, and not those of
// other companies with whom a channel is shared, whose addresses nobody here confirmed. It is a page
// of 200 at a time, waits as long as Slack asks, and fails rather than return a part:
// when there are more than MaxMembers, or when no account shows an address.
func (d Directory) List(ctx context.Context) ([]Member, error) {
	var out []Member
	h, err := d.t.home(ctx)
	if err != nil {
		return nil, err
	}
	addresses := false
	p := d.t.api.GetUsersPaginated(slack.GetUsersOptionLimit(pageSize), slack.GetUsersOptionIncludeLocale(false))
	for range maxPages {
		next, err := d.page(ctx, p)
		if p.Done(err) {
			if len(out) > 0 && !addresses {
				return nil, errors.New("slack shows no e-mail address: add the scope users:read.email to the Slack app and install it again")
			}
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list the workspace's people: %s", d.t.plainly(err))
		}
		p = next
		for i := range p.Users {
			u := &p.Users[i]
			if u.Deleted || u.IsBot || u.IsWorkflowBot || u.ID == "USLACKBOT" || !isID(u.ID) ||
				u.IsStranger || !h.has(u.TeamID) && !(h.org != "" && u.Enterprise.EnterpriseID == h.org) {
				continue
			}
			if len(out) == MaxMembers {
				return nil, fmt.Errorf("the workspace has more than %d people, which is more than vigil looks through", MaxMembers)
			}
			m := Member{ID: u.ID, Workspace: u.TeamID, Email: cut(u.Profile.Email, 320), Name: cut(u.Profile.RealName, 200)}
			addresses = addresses || m.Email != ""
			out = append(out, m)
		}
	}
	return nil, errors.New("slack's list of people does not end")
}

// page gets the next page, and waits for it when Slack asks to.
func (d Directory) page(ctx context.Context, p slack.UserPagination) (slack.UserPagination, error) {
	for n := 0; ; n++ {
		next, err := p.Next(ctx)
		var limited *slack.RateLimitedError
		if !errors.As(err, &limited) || n == maxWaits {
			return next, err
		}
		d.t.counts.add("limited")
		if err := d.t.wait(ctx, min(max(time.Second, limited.RetryAfter), maxWait)); err != nil {
			return next, err
		}
	}
}
