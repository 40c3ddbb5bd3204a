package config

import (
	"fmt"
	"time"
)

// Accounts says how people sign in to the console.
type Accounts struct {
	// Idle is after how long without anything asked a session ends. Default "15m".
	Idle Duration `yaml:"idle"`
	// Absolute is how long a session lasts at most. Default "8h".
	Absolute Duration `yaml:"absolute"`
}

// The bounds of sessions.
const (
	leastIdle    = Duration(time.Minute)
	mostAbsolute = Duration(24 * time.Hour)
)

func (c *checker) accounts() {
	a := c.cfg.Accounts
	if a.Idle < leastIdle || a.Idle > a.Absolute {
		c.at("accounts.idle", fmt.Sprintf("%s is shorter than a minute, or longer than accounts.absolute", a.Idle), `write for example "15m"`)
	}
	if a.Absolute < leastIdle || a.Absolute > mostAbsolute {
		c.at("accounts.absolute", fmt.Sprintf("%s is outside a minute to a day", a.Absolute), `write for example "8h"`)
	}
}
