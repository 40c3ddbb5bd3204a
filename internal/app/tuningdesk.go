package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"vigil/client"
	"vigil/internal/api"
	"vigil/internal/config"
)

// TuningDesk shows and changes the setting of a service that runs, by its HTTP API.
type TuningDesk struct{ remote *remote }

// OpenTuning opens the setting of the vigil that runs here with this configuration. Close it
// again.
func OpenTuning(cfg *config.Config) (*TuningDesk, error) {
	r, err := newRemote(cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no vigil serve has run with this configuration: a setting is proposed to the running service (%w)", err)
	}
	if err != nil {
		return nil, err
	}
	return &TuningDesk{r}, nil
}

// OpenTuningAt opens the setting of a vigil on another machine, with an API token of its.
// Close it again.
func OpenTuningAt(address string, token config.Secret) (*TuningDesk, error) {
	r, err := dialServer(address, token)
	if err != nil {
		return nil, err
	}
	return &TuningDesk{r}, nil
}

// Close lets go of the connection.
func (d *TuningDesk) Close() error { return d.remote.Close() }

// Setting tells which setting is in force, and which held before.
func (d *TuningDesk) Setting(ctx context.Context) (*Setting, error) {
	v, err := d.remote.Tuning(ctx)
	if err != nil {
		return nil, plain(err, "", "")
	}
	return &Setting{File: v.File, Versions: v.Versions[:min(len(v.Versions), listedSettings)], Proposal: v.Proposal}, nil
}

// Difference tells what differs between two versions, as api.Tuner does.
func (d *TuningDesk) Difference(ctx context.Context, from, to int) (api.VersionDifference, error) {
	v, err := d.remote.Difference(ctx, from, to)
	return v, plain(err, "", "")
}

// Propose proposes another setting.
func (d *TuningDesk) Propose(ctx context.Context, p client.Proposing) (api.Proposal, error) {
	v, err := d.remote.Propose(ctx, p)
	return v, plain(err, "", "")
}

// Answer confirms or withdraws what is proposed.
func (d *TuningDesk) Answer(ctx context.Context, a api.Answering) error {
	if a.Confirm {
		return plain(d.remote.Confirm(ctx, a.ID), "", "")
	}
	return plain(d.remote.Withdraw(ctx, a.ID), "", "")
}
