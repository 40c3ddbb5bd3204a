// Package yaml reads YAML files strictly, into structs, with problems that name the
// file, the line, the column, the field and the remedy.
//
// The configuration and the rules are read by it. It touches no file itself: what
// it is given is a text. A Document is for one goroutine.
//
// A file is at most 1 MiB and a few levels deep; anchors, aliases, tags and
// several documents in one file are refused, so a file says what it means where it
// stands.
package yaml
