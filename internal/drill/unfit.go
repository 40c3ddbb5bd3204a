package drill

import "fmt"

// unfit says why traffic does not fit a drill.
func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnfit}, args...)...)
}
