package demo

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// Truth is the key of truth: what was done to the recorded help desk, when, and
// by whom. Everything outside the breaches is ordinary work.
type Truth struct {
	// Seed repeats the recording's statements.
	Seed uint64 `json:"seed"`
	// Start and End bound the recording (UTC, End exclusive); LastDay is when the
	// day begins that a demonstration plays slowly.
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	LastDay time.Time `json:"last_day"`
	// Digest is of all that the clients sent and when, in hexadecimal: a recording
	// from the same seed has the same.
	Digest string `json:"digest"`
	// Lines and Statements count the log's lines and the statements sent. Of the
	// latter a few touch the server's own catalog alone and leave no line.
	Lines      int64 `json:"lines"`
	Statements int64 `json:"statements"`
	// Customers, Conversations and Cases are how many the store held at the end.
	Customers     int `json:"customers"`
	Conversations int `json:"conversations"`
	Cases         int `json:"cases"`
	// Breaches are the three thefts, in order of their start.
	Breaches []Breach `json:"breaches"`
	// Irregularities are harmless and look odd: what a hasty detector reports.
	Irregularities []Irregularity `json:"irregularities"`
}

// Breach is one theft.
type Breach struct {
	// Kind names the scenario: "vendor-token-theft", "agent-mass-export" or
	// "service-slow-scrape". Threat is its number in the catalogue of threats.
	Kind   string `json:"kind"`
	Threat string `json:"threat"`
	// Actor is the database login that was used.
	Actor string `json:"actor"`
	// Start is the first hostile connection or statement, Bulk the first one that
	// takes data in quantity, End the last (UTC).
	Start time.Time `json:"start"`
	Bulk  time.Time `json:"bulk"`
	End   time.Time `json:"end"`
	// Customers is how many customers' data was taken, Rows how many rows the
	// store returned, Statements how many statements it took.
	Customers  int   `json:"customers"`
	Rows       int64 `json:"rows"`
	Statements int64 `json:"statements"`
	// Addresses are the client's; Tables what was read.
	Addresses []string `json:"addresses"`
	Tables    []string `json:"tables"`
	// Story tells it in a sentence or two.
	Story string `json:"story"`
}

// Irregularity is an odd but harmless stretch of work.
type Irregularity struct {
	Kind string `json:"kind"`
	// Actor is a login, or a glob such as "emea.*" for many.
	Actor string    `json:"actor"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Story string    `json:"story"`
}

//go:embed truth.json
var truthJSON []byte

// Key returns the recording's key of truth.
func Key() (Truth, error) {
	var t Truth
	if err := json.Unmarshal(truthJSON, &t); err != nil {
		return Truth{}, fmt.Errorf("read the recording's key of truth: %w", err)
	}
	return t, nil
}
