package file

import (
	"path/filepath"
	"regexp"
	"strings"
)

// dated is what rotation by date appends to a name, or puts before its ending:
// -20261102, .2026-11-02, _2026-11-02T09, with minutes and seconds if there, or with
// the seconds since 1970 (-20261102-1793610000).
var dated = regexp.MustCompile(`[._-](?:19|20)\d\d-?\d\d(?:-?\d\d(?:[-_.T]?\d\d(?:[-:.]?\d\d){0,2}|[-_.]1\d{9})?)?$`)

// numbered is what rotation by number appends. A digit before it makes it
// something else, such as the end of an address.
var numbered = regexp.MustCompile(`(?:([^\d.])\.\d{1,4}|\.old|\.bak|\.prev)$`)

// packedName is what packing appends.
var packedName = regexp.MustCompile(`\.(?:gz|gzip|zst|zstd)$`)

// ending is a name's ending that rotation may stand before: app-20261102.log.
var ending = regexp.MustCompile(`\.(?:log|csv|json|jsonl|ndjson|txt)$`)

// familyOf names the log that path is a piece of: the path without what
// rotation and packing add to it. helpdesk.log, helpdesk.log.1 and
// helpdesk-20261102.log.gz are one family.
func familyOf(path string) string {
	dir, name := filepath.Split(path)
	base := packedName.ReplaceAllString(name, "")
	for {
		end := ending.FindString(base)
		stem := strings.TrimSuffix(base, end)
		less := dated.ReplaceAllString(numbered.ReplaceAllString(stem, "$1"), "")
		if less == stem {
			// A number after a date: helpdesk.log-20261102.1.
			if i := strings.LastIndexByte(stem, '.'); i > 0 && len(stem)-i <= 4 && isDigits(stem[i+1:]) {
				less = dated.ReplaceAllString(stem[:i], "")
				if less == stem[:i] {
					less = stem
				}
			}
		}
		if less == "" || less == stem {
			break
		}
		base = less + end
	}
	if base == "" {
		base = name
	}
	return dir + base
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
