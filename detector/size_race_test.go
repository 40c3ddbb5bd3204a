//go:build race

package detector_test

import "vigil/internal/traffic"

// stagedConfig is the desk under the race detector, which makes all ten times as slow:
// smaller, for what it looks for is in every hour of it. The whole is judged without.
var stagedConfig = traffic.Config{Events: 9_000, Actors: 20, Days: 16, Seed: 7}

// So many worlds of hostile traffic, of so many events each.
const hostileWorlds, hostileEvents = 1, 2_000
