// Package config reads the configuration file: strict YAML, with its defaults
// in one place and errors that name the file, the line, the field and the
// remedy.
//
// It is called by the program's check and serve commands. [Load] reports every
// problem it finds, not only the first, and touches nothing but the file it is
// given. Values are plain data once loaded and safe to share.
//
// A file is at most 1 MiB and a few levels deep; anchors, aliases, tags and
// several documents in one file are refused, so a configuration says what it
// means where it stands.
package config
