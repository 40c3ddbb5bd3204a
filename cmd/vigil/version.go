package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints the version, the commit it was built from, and the Go release.
func (versionCommand) Run(io streams) error {
	version, commit, state := version(), "unknown commit", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				state = ", changed"
			}
		}
	}
	_, err := fmt.Fprintf(io.out, "vigil %s (%s%s), %s %s/%s\n", version, commit, state, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is this program's, "development" for one that was not released.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			return v
		}
	}
	return "development"
}
