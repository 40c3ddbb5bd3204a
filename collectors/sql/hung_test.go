package sqltable_test

import (
	"testing"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	sqltable "vigil/collectors/sql"
)

// A stop does not wait for a server that hangs.
func TestStopOfAHungServer(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"postgres", "mysql"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			collectorstest.Deaf(t, func(address string) (collectors.Collector, error) {
				return sqltable.New(sqltable.Config{Decode: decoding(), URL: scheme + "://vigil:x@" + address + "/audit", Table: "audit", Cursor: "id"}, sqltable.Options{})
			})
		})
	}
}
