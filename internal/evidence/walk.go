package evidence

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// span is a run of rows, from inclusive, to exclusive.
type span struct{ from, to int64 }

// with adds a row to the runs, after the last of them.
func with(runs []span, row int64) []span {
	if n := len(runs); n > 0 && runs[n-1].to >= row {
		runs[n-1].to = row + 1
		return runs
	}
	return append(runs, span{row, row + 1})
}

// narrow keeps of the runs the rows of which one value at least matches.
func narrow(chunk parquet.ColumnChunk, in []span, match func(parquet.Value) bool) (out []span, err error) {
	err = visit(chunk, in, func(row int64, v parquet.Value) {
		if match(v) {
			out = with(out, row)
		}
	})
	return out, err
}

// narrowTo keeps of the runs the rows in which one at least of some texts stands. Where the
// column has a dictionary, the texts are looked up in it once, and their numbers alone are
// compared.
func narrowTo(chunk parquet.ColumnChunk, in []span, texts []string) (out []span, err error) {
	var dictionary parquet.Dictionary
	var numbers []int32
	err = eachPage(chunk, in, func(page parquet.Page, start int64, within []span) error {
		d := page.Dictionary()
		if d == nil {
			return walk(page, start, within, func(row int64, v parquet.Value) {
				if !v.IsNull() && slices.Contains(texts, string(v.ByteArray())) {
					out = with(out, row)
				}
			})
		}
		if d != dictionary {
			dictionary, numbers = d, numbersOf(d, texts)
		}
		if len(numbers) > 0 {
			out = numbered(page, start, within, numbers, out)
		}
		return nil
	})
	return out, err
}

// numbersOf are the texts' numbers in a dictionary of texts.
func numbersOf(d parquet.Dictionary, texts []string) (numbers []int32) {
	values := d.Page().Data()
	data, ends := values.ByteArray()
	for i := range len(ends) - 1 {
		if slices.Contains(texts, string(data[ends[i]:ends[i+1]])) {
			numbers = append(numbers, int32(i))
		}
	}
	return numbers
}

// numbered adds those rows of the runs that hold one of the numbers.
func numbered(page parquet.Page, start int64, within []span, numbers []int32, out []span) []span {
	values := page.Data()
	held, levels := values.Int32(), page.DefinitionLevels()
	if len(levels) == 0 { // one to each row
		for _, s := range within {
			for i, n := range held[s.from-start : s.to-start] {
				if slices.Contains(numbers, n) {
					out = with(out, s.from+int64(i))
				}
			}
		}
		return out
	}
	if len(held) == 0 {
		return out
	}
	// A value is there where its level is the highest, and a row begins where nothing repeats.
	there, again, row := slices.Max(levels), page.RepetitionLevels(), start-1
	for i, at := 0, 0; i < len(levels) && len(within) > 0; i++ {
		if len(again) == 0 || again[i] == 0 {
			if row++; row >= within[0].to {
				within = within[1:]
			}
		}
		if levels[i] != there {
			continue
		}
		if len(within) > 0 && row >= within[0].from && slices.Contains(numbers, held[at]) {
			out = with(out, row)
		}
		at++
	}
	return out
}

// visit calls f for each value of the rows in the runs, in order. Values are
// valid during the call only.
func visit(chunk parquet.ColumnChunk, spans []span, f func(row int64, v parquet.Value)) error {
	return eachPage(chunk, spans, func(page parquet.Page, start int64, within []span) error {
		return walk(page, start, within, f)
	})
}

// eachPage calls f for each page of a column that holds rows of the runs, with the number
// of its first row and with those runs as far as they lie in it. Pages between them are
// passed over unread.
func eachPage(chunk parquet.ColumnChunk, spans []span, f func(page parquet.Page, start int64, within []span) error) error {
	if len(spans) == 0 {
		return nil
	}
	if c, ok := chunk.(*parquet.FileColumnChunk); ok { // or seeking would read all that it passes
		if _, err := c.OffsetIndex(); err != nil && !errors.Is(err, parquet.ErrMissingOffsetIndex) {
			return err
		}
	}
	pages := chunk.Pages()
	defer pages.Close()
	start := int64(0)
	var within []span
	for len(spans) > 0 {
		if spans[0].from > start {
			if err := pages.SeekToRow(spans[0].from); err != nil {
				return err
			}
			start = spans[0].from
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: a column ends before its rows do", ErrCorrupt)
		}
		if err != nil {
			return err
		}
		end := start + page.NumRows()
		within = within[:0]
		for len(spans) > 0 && spans[0].from < end {
			within = append(within, span{max(spans[0].from, start), min(spans[0].to, end)})
			if spans[0].to > end {
				break
			}
			spans = spans[1:]
		}
		err = f(page, start, within)
		parquet.Release(page)
		if err != nil {
			return err
		}
		start = end
	}
	return nil
}

// walk calls f for each value of a page's rows in the runs.
func walk(page parquet.Page, start int64, within []span, f func(row int64, v parquet.Value)) error {
	if len(within) == 0 {
		return nil
	}
	if at := flat(page); at != nil {
		for _, s := range within {
			for row := s.from; row < s.to; row++ {
				f(row, at(row-start))
			}
		}
		return nil
	}
	from, to := within[0].from, within[len(within)-1].to
	part := page.Slice(from-start, to-start)
	defer parquet.Release(part)
	values, buf, row := part.Values(), make([]parquet.Value, 512), from-1
	for {
		n, err := values.ReadValues(buf)
		for _, v := range buf[:n] {
			if v.RepetitionLevel() == 0 {
				row++
			}
			for row >= within[0].to {
				within = within[1:]
			}
			if row >= within[0].from {
				f(row, v)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// flat is how to get the value of a page's row by its number in the page; nil where a row
// may have none or several, or where the form is a rare one. Cutting a row out of a page
// would copy it.
func flat(page parquet.Page) func(i int64) parquet.Value {
	if len(page.DefinitionLevels()) > 0 {
		return nil
	}
	values := page.Data()
	if d := page.Dictionary(); d != nil {
		held := values.Int32()
		return func(i int64) parquet.Value { return d.Index(held[i]) }
	}
	switch page.Type().Kind() {
	case parquet.Int64:
		if values.Kind() == encoding.Int64 {
			held := values.Int64()
			return func(i int64) parquet.Value { return parquet.Int64Value(held[i]) }
		}
	case parquet.ByteArray:
		data, ends := values.ByteArray()
		return func(i int64) parquet.Value { return parquet.ByteArrayValue(data[ends[i]:ends[i+1]]) }
	}
	return nil
}
