package redis_test

import (
	"testing"

	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/redis"
)

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"redis"}}.Check(t, redis.New())
}
