package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
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
		places, ok := placesOf(page)
		if !ok {
			return walk(page, start, within, func(row int64, v parquet.Value) {
				if !v.IsNull() && slices.Contains(texts, string(v.ByteArray())) {
					out = with(out, row)
				}
			})
		}
		d := page.Dictionary()
		if d == nil {
			data, ends := places.values.ByteArray()
			places.each(start, within, func(row int64, at int) {
				if at >= 0 && slices.Contains(texts, string(data[ends[at]:ends[at+1]])) {
					out = with(out, row)
				}
			})
			return nil
		}
		if d != dictionary {
			dictionary, numbers = d, numbersOf(d, texts)
		}
		if len(numbers) == 0 {
			return nil
		}
		held := places.values.Int32()
		places.each(start, within, func(row int64, at int) {
			if at >= 0 && slices.Contains(numbers, held[at]) {
				out = with(out, row)
			}
		})
		return nil
	})
	return out, err
}

// pagesFor keeps of the runs those rows whose pages may hold one of some texts, by the least
// and the greatest text of each page. It keeps all where the column does not tell them.
func pagesFor(chunk parquet.ColumnChunk, in []span, texts []string) (out []span, err error) {
	bounds, err := chunk.ColumnIndex()
	if errors.Is(err, parquet.ErrMissingColumnIndex) {
		return in, nil
	}
	if err != nil {
		return nil, err
	}
	pages, err := chunk.OffsetIndex()
	if errors.Is(err, parquet.ErrMissingOffsetIndex) || err == nil && pages.NumPages() != bounds.NumPages() {
		return in, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range bounds.NumPages() {
		least, greatest := bounds.MinValue(i), bounds.MaxValue(i)
		may := slices.ContainsFunc(texts, func(s string) bool {
			v := parquet.ByteArrayValue([]byte(s))
			return chunk.Type().Compare(least, v) <= 0 && chunk.Type().Compare(v, greatest) <= 0
		})
		if !may || bounds.NullPage(i) {
			continue
		}
		page := span{pages.FirstRowIndex(i), math.MaxInt64}
		if i+1 < pages.NumPages() {
			page.to = pages.FirstRowIndex(i + 1)
		}
		for _, s := range in {
			if from, to := max(s.from, page.from), min(s.to, page.to); from < to {
				out = append(out, span{from, to})
			}
		}
	}
	return out, nil
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

// places are where the values of a page stand.
type places struct {
	values encoding.Values
	// there tells of each place whether a value stands in it, by being whole, and again
	// whether it belongs to the row of the place before. They are empty where each row has
	// one value.
	there, again []byte
	whole        byte
}

// placesOf finds them; not of a page of a rare form.
func placesOf(page parquet.Page) (places, bool) {
	p := places{values: page.Data(), there: page.DefinitionLevels(), again: page.RepetitionLevels()}
	kind := page.Type().Kind()
	var held int
	switch known := p.values.Kind(); {
	case page.Dictionary() != nil && known == encoding.Int32:
		held = len(p.values.Int32())
	case kind == parquet.ByteArray && known == encoding.ByteArray:
		_, ends := p.values.ByteArray()
		held = len(ends) - 1
	case kind == parquet.Int64 && known == encoding.Int64:
		held = len(p.values.Int64())
	default:
		return p, false
	}
	if len(p.there) == 0 {
		return p, len(p.again) == 0 && int64(held) == page.NumRows()
	}
	// A value stands where the level is the highest that there is. Where none stands at all,
	// the highest is one that means nothing.
	p.whole = slices.Max(p.there)
	if held == 0 {
		p.whole++
	}
	return p, held == 0 || bytes.Count(p.there, []byte{p.whole}) == held
}

// each calls f for each place of the rows in the runs, with the number of the value, -1 where
// none stands. start is the page's first row.
func (p *places) each(start int64, within []span, f func(row int64, at int)) {
	if len(p.there) == 0 {
		for _, s := range within {
			for row := s.from; row < s.to; row++ {
				f(row, int(row-start))
			}
		}
		return
	}
	row, at := start-1, -1
	for i, level := range p.there {
		if len(p.again) == 0 || p.again[i] == 0 { // a row begins where nothing repeats
			row++
			for len(within) > 0 && row >= within[0].to {
				within = within[1:]
			}
			if len(within) == 0 {
				return
			}
		}
		value := -1
		if level == p.whole {
			at++
			value = at
		}
		if row >= within[0].from {
			f(row, value)
		}
	}
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

// walk calls f for each value of a page's rows in the runs, a null where there is none.
func walk(page parquet.Page, start int64, within []span, f func(row int64, v parquet.Value)) error {
	if len(within) == 0 {
		return nil
	}
	if p, ok := placesOf(page); ok {
		value := p.value(page)
		p.each(start, within, func(row int64, at int) {
			if at < 0 {
				f(row, parquet.NullValue())
				return
			}
			f(row, value(at))
		})
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

// value is how to get a value by its number. To cut a row out of a page would copy it.
func (p *places) value(page parquet.Page) func(at int) parquet.Value {
	if d := page.Dictionary(); d != nil {
		held := p.values.Int32()
		return func(at int) parquet.Value { return d.Index(held[at]) }
	}
	if p.values.Kind() == encoding.Int64 {
		held := p.values.Int64()
		return func(at int) parquet.Value { return parquet.Int64Value(held[at]) }
	}
	data, ends := p.values.ByteArray()
	return func(at int) parquet.Value { return parquet.ByteArrayValue(data[ends[at]:ends[at+1]]) }
}
