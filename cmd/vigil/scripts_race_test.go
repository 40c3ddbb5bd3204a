//go:build race

package main

// scripts are those that the race detector can say something of: commands in which
// several do one thing. The others are run without it, for they start the program
// often, and what they ask of is seconds' work ten times over.
var scripts = []string{
	"testdata/script/scan.txtar", "testdata/script/series.txtar", "testdata/script/findings.txtar", "testdata/script/sourcestatus.txtar",
}
