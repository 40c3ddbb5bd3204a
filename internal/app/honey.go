package app

import (
	"errors"
	"path/filepath"
	"time"

	"vigil"
	"vigil/internal/config"
	"vigil/internal/honey"
)

// HoneyOptions says which register of honey records is meant.
type HoneyOptions struct {
	// Config is the configuration whose data folder holds it; Register is its file
	// where there is no configuration.
	Config, Register string
	// Tenant is the organisation whose records they are, empty for none.
	Tenant string
	// Now is the present.
	Now time.Time
}

func (o *HoneyOptions) open() (*honey.Register, error) {
	path := o.Register
	switch {
	case path != "" && o.Config != "":
		return nil, errors.New("a register and a configuration are given; one of them is enough")
	case path == "" && o.Config == "":
		return nil, errors.New("no register of honey records is given: name the configuration (-c) or a file (--register)")
	case o.Config != "":
		cfg, err := config.Load(o.Config, Known())
		if err != nil {
			return nil, err
		}
		path = filepath.Join(cfg.DataDir, honey.FileName)
	}
	return honey.Open(path)
}

// PlantHoney makes people who do not exist and registers them.
func PlantHoney(opts HoneyOptions, cfg honey.Config) ([]honey.Person, error) {
	r, err := opts.open()
	if err != nil {
		return nil, err
	}
	cfg.Now = opts.Now
	return plant(r, opts.Tenant, cfg)
}

func plant(r *honey.Register, tenant string, cfg honey.Config) ([]honey.Person, error) {
	people, err := honey.Make(cfg)
	if err != nil {
		return nil, err
	}
	for i := range people {
		p := &people[i]
		err := r.Add(vigil.Honey{Subject: p.ID, Tenant: tenant, Variant: p.Variant, Period: vigil.Period{From: cfg.Now.UTC().Truncate(time.Second)}})
		if err != nil {
			return nil, err
		}
	}
	return people, r.Save()
}

// AddHoney registers records that were planted by other means, such as those to which
// the store gave its own identifiers.
func AddHoney(opts HoneyOptions, variant string, ids []string) error {
	r, err := opts.open()
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := r.Add(vigil.Honey{Subject: id, Tenant: opts.Tenant, Variant: variant, Period: vigil.Period{From: opts.Now.UTC().Truncate(time.Second)}})
		if err != nil {
			return err
		}
	}
	return r.Save()
}

// ListHoney returns all records of the register.
func ListHoney(opts HoneyOptions) ([]vigil.Honey, error) {
	r, err := opts.open()
	if err != nil {
		return nil, err
	}
	return r.Records, nil
}

// RotateHoney retires what was planted more than age ago and plants as many new records
// for the same variants. What is retired still counts for grace, as the old rows may
// stand for as long. It returns the new people and how many were retired.
func RotateHoney(opts HoneyOptions, cfg honey.Config, age, grace time.Duration) (people []honey.Person, retired int, err error) {
	r, err := opts.open()
	if err != nil {
		return nil, 0, err
	}
	variants, counts := r.Retire(opts.Now.Add(-age), opts.Now.Add(grace).UTC().Truncate(time.Second))
	if len(variants) == 0 {
		return nil, 0, nil
	}
	cfg.Now = opts.Now
	for _, v := range variants {
		cfg.Variants, cfg.Count = nil, counts[v]
		if v != "" {
			cfg.Variants = []string{v}
		}
		// Identifiers count on from the last one made.
		more, err := plant(r, opts.Tenant, cfg)
		if err != nil {
			return nil, 0, err
		}
		if cfg.Like != "" {
			cfg.Like = more[len(more)-1].ID
		}
		people = append(people, more...)
		retired += counts[v]
	}
	return people, retired, nil
}
