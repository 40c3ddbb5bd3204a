package sample

import (
	"context"
	"errors"
	"io"

	"vigil"
	"vigil/internal/api"
)

// Packs makes packs of one case that hold nothing but a word.
type Packs struct {
	View api.PackPreview
	// Broken breaks the making off on the way.
	Broken bool
}

// NewPacks makes those of a finding's case; with texts, every text is one of those.
func NewPacks(f vigil.Finding, texts []string) *Packs {
	c := Case(&f)
	p := &Packs{View: api.PackPreview{Case: c.Case, Findings: []vigil.Finding{f}, Events: 12_000_000, MostEvents: 10_000_000, Notice: true, Key: "kD8N0c3Y0bqT7T1JmIuJp7wWmM2v3wCkPq0c0m8m8W4="}}
	if texts != nil {
		p.View.Key = texts[0]
		for i := range 40 {
			bad, _ := Hostile(texts, i)
			p.View.Findings = append(p.View.Findings, bad)
		}
	}
	return p
}

// PackPreview implements api.Packs.
func (p *Packs) PackPreview(_ context.Context, id string) (api.PackPreview, error) {
	if id != p.View.Case.ID {
		return api.PackPreview{}, api.ErrNotFound
	}
	return p.View, nil
}

// Pack implements api.Packs.
func (p *Packs) Pack(_ context.Context, id string) (string, func(context.Context, io.Writer) error, error) {
	if id != p.View.Case.ID {
		return "", nil, api.ErrNotFound
	}
	return "vigil-evidence-" + id + ".zip", func(_ context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, "PK"); err != nil || p.Broken {
			return errors.Join(err, errors.New("the log is gone"))
		}
		return nil
	}, nil
}

var _ api.Packs = (*Packs)(nil)
