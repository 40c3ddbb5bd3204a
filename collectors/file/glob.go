package file

import (
	"os"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// glob lists the files that a pattern names, sorted: as path/filepath has it, and "**"
// stands for folders of any depth, on the way into which no links are followed.
func glob(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[{\`) {
		if _, err := os.Lstat(pattern); err != nil {
			return nil, nil
		}
		return []string{pattern}, nil
	}
	paths, err := doublestar.FilepathGlob(pattern, doublestar.WithNoFollow())
	slices.Sort(paths)
	return paths, err
}
