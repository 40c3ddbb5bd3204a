package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"vigil/internal/api"
)

type (
	// Tuning is the setting in force, what is proposed, and which held before.
	Tuning = api.TuningView
	// SettingDifference is what differs between two versions of the setting.
	SettingDifference = api.VersionDifference
	// Proposing asks for another setting: exactly one of PerDay, Configuration, Version and
	// Replay says which.
	Proposing = api.Proposing
	// Proposal is one that waits for a second person.
	Proposal = api.Proposal
)

// The parts of a setting of which one alone can be proposed.
const (
	PartBudget = api.PartBudget
	PartRules  = api.PartRules
)

// Tuning tells which setting is in force.
func (c *Client) Tuning(ctx context.Context) (out Tuning, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: "/tuning"}, &out)
	return out, err
}

// Difference tells what differs from one version of the setting to another; from 0 is the
// one in force, to 0 the one before that.
func (c *Client) Difference(ctx context.Context, from, to int) (out SettingDifference, err error) {
	q := url.Values{"from": {strconv.Itoa(from)}, "to": {strconv.Itoa(to)}}
	err = c.do(ctx, request{method: http.MethodGet, path: "/tuning/difference", query: q}, &out)
	return out, err
}

// Propose proposes another setting. Nothing changes before a second person confirms it.
func (c *Client) Propose(ctx context.Context, p Proposing) (out Proposal, err error) {
	err = c.do(ctx, request{method: http.MethodPost, path: "/tuning/proposals", body: p, seen: max(0, p.Seen)}, &out)
	return out, err
}

// Confirm brings what somebody else proposed into force.
func (c *Client) Confirm(ctx context.Context, proposal string) error {
	var out struct{ ID string }
	return c.do(ctx, request{method: http.MethodPost, path: path("tuning", "proposals", proposal, "confirm"), body: struct{}{}}, &out)
}

// Withdraw withdraws what is proposed.
func (c *Client) Withdraw(ctx context.Context, proposal string) error {
	var out struct{ ID string }
	return c.do(ctx, request{method: http.MethodDelete, path: path("tuning", "proposals", proposal), body: struct{}{}}, &out)
}
