//go:build !race

package snowflake_test

import (
	"testing"

	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/snowflake"
)

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"snowflake"},
	}.Check(t, snowflake.New())
}
