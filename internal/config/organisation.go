package config

import (
	"fmt"
	"path/filepath"
)

// maxOrganisation bounds each text about the organisation, in bytes.
const maxOrganisation = 500

// Organisation is who notifies the supervisory authority of a breach: it stands in the
// notification. All may be empty.
type Organisation struct {
	// Name is the controller's, Address where it sits.
	Name    string `yaml:"name"`
	Address string `yaml:"address"`
	// Officer is the data protection officer or another contact point, Contact how they
	// are reached.
	Officer string `yaml:"officer"`
	Contact string `yaml:"contact"`
	// Authority is the supervisory authority in charge.
	Authority string `yaml:"authority"`
}

// AuditCheckpoints is where the audit log's head is written down outside of the data
// folder, signed: by it a log that was cut off, put back or written anew is found out.
type AuditCheckpoints struct {
	// File is appended to; it belongs on another disk or machine, where who can write to
	// the data folder can't change it. Empty, the default, keeps none.
	File string `yaml:"file"`
	// Every is how often a checkpoint is written when the log has grown. Default
	// "@every 1m".
	Every string `yaml:"every"`
}

func (c *checker) organisation() {
	o := &c.cfg.Organisation
	for _, f := range []struct{ name, value string }{
		{"name", o.Name}, {"address", o.Address}, {"officer", o.Officer}, {"contact", o.Contact}, {"authority", o.Authority},
	} {
		if len(f.value) > maxOrganisation {
			c.at("organisation."+f.name, fmt.Sprintf("is longer than %d bytes", maxOrganisation), "shorten it")
		}
	}
	if file := c.cfg.AuditCheckpoints.File; file != "" && c.cfg.DataDir != "" {
		inside, err := filepath.Rel(c.cfg.DataDir, file)
		if err == nil && filepath.IsLocal(inside) {
			c.at("audit_checkpoints.file", "lies in data_dir: who can change the one can change the other",
				"name a file on another disk or machine")
		}
	}
}
