package config

import (
	"fmt"
	"net/url"
	"slices"
)

// Collector is a remote vigil that sends sources here, with "vigil collect".
type Collector struct {
	// Name is what it calls itself. Letters, digits, ".", "_" and "-", at most 64.
	// Required and unique.
	Name string `yaml:"name"`
	// Key is the secret by which it signs what it sends, at least 16 characters. It never
	// travels. Required, and each has its own.
	Key Secret `yaml:"key"`
}

// Collect is the configuration of a remote collector.
type Collect struct {
	// Name is ours at the central vigil, Key our secret there. Both required.
	Name string `yaml:"name"`
	Key  Secret `yaml:"key"`
	// Central is the central vigil's address: that of its push_listen, or of listen on
	// the same machine. Required; https unless it is this machine.
	Central string `yaml:"central"`
	// TLS says how the central vigil is trusted. Unset trusts the system's authorities.
	TLS *TLS `yaml:"tls"`
	// SpoolDir is the folder where batches wait until they are taken, encrypted. It is
	// made with mode 0700 when absent. Required.
	SpoolDir string `yaml:"spool_dir"`
	// SpoolSize bounds what waits there. Beyond it sources wait. Default "10GB".
	SpoolSize Size `yaml:"spool_size"`
	// DiskFloor is the free space below which nothing more is taken in. Default "64MB".
	DiskFloor Size `yaml:"disk_floor"`
	// Listen is the address at which pushes are taken, as host:port; needed only for
	// sources that are pushed to.
	Listen string `yaml:"listen"`
	// ListenTLS is the certificate with which Listen shows itself. Unset, it speaks plain
	// HTTP.
	ListenTLS *ServerTLS `yaml:"listen_tls"`
	// Sources are what is read here. At least one; their names are those of the sources
	// at the central vigil.
	Sources []Source `yaml:"sources"`
}

// DefaultCollect returns the configuration in which nothing is set.
func DefaultCollect() *Collect {
	return &Collect{SpoolSize: 10 << 30, DiskFloor: 64 << 20}
}

// collectors checks who may send, and that each source's collector is one of them.
func (c *checker) collectors() {
	seen := map[string]int{}
	keys := map[string]string{}
	for i := range c.cfg.Collectors {
		r := &c.cfg.Collectors[i]
		c.named("collector", r.Name, seen, i)
		c.push(fmt.Sprintf("collectors[%d].key", i), &Push{Token: r.Key}, fmt.Sprintf("collector %q", r.Name), keys)
	}
	for i := range c.cfg.Sources {
		name := c.cfg.Sources[i].Collector
		if _, known := seen[name]; name != "" && !known {
			c.at(fmt.Sprintf("sources[%d].collector", i), fmt.Sprintf("%q is not one of collectors", name), "add it there, with its key")
		}
	}
}

func (c *checker) collect(cfg *Collect) {
	if !entryName.MatchString(cfg.Name) && !c.bad("name") {
		c.at("name", fmt.Sprintf("%q is no name", cfg.Name), "write the name that the central vigil has for this collector")
	}
	c.push("key", &Push{Token: cfg.Key}, "this collector", map[string]string{})
	if cfg.SpoolDir == "" && !c.bad("spool_dir") {
		c.at("spool_dir", "is missing", "name a folder that may be filled, such as /var/lib/vigil-collect")
	}
	if cfg.SpoolSize < 1<<20 && !c.bad("spool_size") {
		c.at("spool_size", "is less than 1MB", "leave it out for 10GB")
	}
	switch u, err := url.Parse(cfg.Central); {
	case c.bad("central"):
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		c.at("central", "is no https address", `write for example "https://vigil.example.com:8471"`)
	case u.Scheme == "http" && !thisMachine(u.Hostname()):
		c.at("central", "is not https", "set push_tls at the central vigil and write https here: what is sent is signed, and only TLS keeps it from being read")
	}
	if cfg.TLS != nil {
		cfg.TLS.check(c, "tls")
	}
	if cfg.Listen != "" {
		c.hostPort("listen", cfg.Listen)
	}
	if cfg.ListenTLS != nil {
		cfg.ListenTLS.check(c, "listen_tls")
	}
	c.sources()
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		field := fmt.Sprintf("sources[%d]", i)
		switch way := s.Way(); {
		case way == "collector":
			c.at(field+".collector", "is of the central vigil's configuration", "say here how the source is read")
		case slices.Contains([]string{"push", "otlp"}, way) && cfg.Listen == "":
			c.at("listen", "is missing", fmt.Sprintf("source %q is sent to: write an address such as 127.0.0.1:8470", s.Name))
		}
	}
}
