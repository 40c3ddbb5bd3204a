//go:build !race

package detector_test

import "vigil/internal/traffic"

// stagedConfig is the desk at its whole size.
var stagedConfig = traffic.Config{Events: 30_000, Actors: 24, Days: 28, Seed: 7}

// So many worlds of hostile traffic, of so many events each.
const hostileWorlds, hostileEvents = 2, 6_000
