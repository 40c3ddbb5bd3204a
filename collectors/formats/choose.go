package formats

import (
	"fmt"
	"strings"
)

// MaxSample is how much of an input's start is looked at to find its format, in
// bytes.
const MaxSample = 64 << 10

// sureEnough is the least confidence by which a format is taken.
const sureEnough = 0.3

// Choose returns the format of the list that is surest of the sample, and how
// sure it is (0 to 1). When none is sure enough the error names what was tried.
// Of equals the first in the list wins.
func Choose(list []Format, sample []byte) (Format, float64, error) {
	var best Format
	var sure float64
	for _, f := range list {
		if s := f.Detect(sample); s > sure {
			best, sure = f, s
		}
	}
	switch {
	case best == nil:
		return nil, 0, fmt.Errorf("none of the %d formats fits: name the format if it is one of those that vigil formats lists", len(list))
	case sure < sureEnough:
		return nil, sure, fmt.Errorf("none of the %d formats fits; the nearest is %s (%.0f %% sure): name it if that is what it is", len(list), best.Name(), 100*sure)
	}
	return best, sure, nil
}

// ByName returns the format of that name. The error lists the names there are.
func ByName(list []Format, name string) (Format, error) {
	names := make([]string, 0, len(list))
	for _, f := range list {
		if f.Name() == name {
			return f, nil
		}
		names = append(names, f.Name())
	}
	return nil, fmt.Errorf("no format is called %q: there are %s", name, strings.Join(names, ", "))
}
