package evidence

import (
	"context"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Scan returns the rows that the query asks for with some columns alone: the names are
// those of the segment's columns, such as "actor" or "subjects.list.element"; none means
// all. Fields of other columns stay empty, and counts among them zero. A list of a
// thousand segments is walked by a few columns in the time that one takes whole.
func (s *Store) Scan(ctx context.Context, seg Segment, q Query, columns []string) ([]Row, error) {
	var rows []Row
	err := s.find(ctx, seg, q, func(group parquet.RowGroup, spans []span) error {
		got, err := pick(group, spans, columns)
		rows = append(rows, got...)
		return err
	})
	return rows, err
}

// asked reports whether a column is among those that are asked for.
func asked(path []string, columns []string) bool {
	return len(columns) == 0 || slices.Contains(columns, strings.Join(path, "."))
}
