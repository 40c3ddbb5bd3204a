package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"vigil/internal/access"
)

// Accounts says how people sign in to the console.
type Accounts struct {
	// Idle is after how long without anything asked a session ends. Default "15m".
	Idle Duration `yaml:"idle"`
	// Absolute is how long a session lasts at most. Default "8h".
	Absolute Duration `yaml:"absolute"`
	// OIDC is a provider with whom people sign in besides. May be left out.
	OIDC *OIDC `yaml:"oidc"`
}

// OIDC is a sign-in provider that speaks OpenID Connect.
type OIDC struct {
	// Name is what people know the provider by. Default "your organisation".
	Name string `yaml:"name"`
	// Issuer is its address, exactly as it names itself, such as
	// "https://login.example.com". Required.
	Issuer string `yaml:"issuer"`
	// ClientID and ClientSecret are what the provider gave for vigil. Required.
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	// Scopes are asked for besides openid. Default [email, profile].
	Scopes []string `yaml:"scopes"`
	// Claim names the claim that lists a person's groups. Default "groups".
	Claim string `yaml:"claim"`
	// Groups gives the roles of each group, for people whom users does not name. May be
	// empty: then only those are let in whose verified address is that of a user.
	Groups map[string][]access.Role `yaml:"groups"`
}

// The bounds of sessions.
const (
	leastIdle    = Duration(time.Minute)
	mostAbsolute = Duration(24 * time.Hour)
)

func (c *checker) oidc(o *OIDC) {
	c.address("accounts.oidc.issuer", o.Issuer)
	u, err := url.Parse(o.Issuer)
	switch {
	case o.Issuer == "" && !c.bad("accounts.oidc.issuer"):
		c.at("accounts.oidc.issuer", "is missing", `write the provider's address, such as "https://login.example.com"`)
	case err == nil && u.Scheme == "http" && !thisMachine(u.Hostname()):
		c.at("accounts.oidc.issuer", "is not https: anybody on the way could sign in as anybody", "write its https address")
	}
	if o.ClientID == "" && !c.bad("accounts.oidc.client_id") {
		c.at("accounts.oidc.client_id", "is missing", "the provider gives it when vigil is registered there")
	}
	if value, ok := c.secret("accounts.oidc.client_secret", o.ClientSecret); ok && value == "" && !c.bad("accounts.oidc.client_secret") {
		c.at("accounts.oidc.client_secret", "is missing", "write env:OIDC_SECRET and set that variable")
	}
	for _, group := range slices.Sorted(maps.Keys(o.Groups)) {
		for _, r := range o.Groups[group] {
			if !r.Known() {
				c.at("accounts.oidc.groups."+group, fmt.Sprintf("%q is no role", r), "the roles are "+roleNames())
			}
		}
	}
}

func (c *checker) accounts() {
	if c.cfg.Accounts.OIDC != nil {
		c.oidc(c.cfg.Accounts.OIDC)
	}
	a := c.cfg.Accounts
	if a.Idle < leastIdle || a.Idle > a.Absolute {
		c.at("accounts.idle", fmt.Sprintf("%s is shorter than a minute, or longer than accounts.absolute", a.Idle), `write for example "15m"`)
	}
	if a.Absolute < leastIdle || a.Absolute > mostAbsolute {
		c.at("accounts.absolute", fmt.Sprintf("%s is outside a minute to a day", a.Absolute), `write for example "8h"`)
	}
}
