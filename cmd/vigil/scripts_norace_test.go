//go:build !race

package main

// scripts are chosen where the race detector is on; without it all are run.
var scripts []string
