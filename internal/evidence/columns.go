package evidence

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"vigil"
)

// Columns are a few columns of some rows, side by side. What adds up over millions of
// rows is read so: an event for each would be a hundred times as large.
type Columns struct {
	// Times are UTC nanoseconds, Rows the rows that each access returned, vigil.Unknown
	// where no source told.
	Times, Rows []int64
	// Texts are the columns of text that were asked for, in that order.
	Texts [][]string
	// Subjects are those of each row, when TextSubjects was asked for.
	Subjects [][]string
}

// Text is a column of text.
type Text string

// The columns of text that can be read side by side.
const (
	TextActor    Text = "actor"
	TextNetwork  Text = "network"
	TextCountry  Text = "country"
	TextASN      Text = "asn"
	TextStore    Text = "store"
	TextResource Text = "resource"
	TextSession  Text = "session"
	TextOutcome  Text = "outcome"
	TextAction   Text = "action"

	TextConversation Text = "conversation"
	// TextSubjects are several to a row: they stand in Columns.Subjects, and nothing in their
	// place among the texts.
	TextSubjects Text = pathSubjects
)

// of is the event's value in the column.
func (t Text) of(e *vigil.Event) string {
	switch t {
	case TextActor:
		return e.Actor.ID
	case TextNetwork:
		return e.Network
	case TextCountry:
		return e.Country
	case TextASN:
		return e.ASN
	case TextStore:
		return e.Store
	case TextResource:
		return e.Resource
	case TextSession:
		return e.Session
	case TextOutcome:
		return string(e.Outcome)
	case TextAction:
		return string(e.Action)
	case TextConversation:
		return e.Conversation
	case TextSubjects:
	}
	return ""
}

// ColumnsOf are those of events that are at hand.
func ColumnsOf(rows []Row, texts ...Text) Columns {
	c := Columns{Times: make([]int64, len(rows)), Rows: make([]int64, len(rows)), Texts: make([][]string, len(texts))}
	for j, t := range texts {
		if t == TextSubjects {
			c.Subjects = make([][]string, len(rows))
			continue
		}
		c.Texts[j] = make([]string, len(rows))
	}
	for i, row := range rows {
		c.Times[i], c.Rows[i] = row.Event.Time.UnixNano(), row.Event.Rows
		if c.Subjects != nil {
			c.Subjects[i] = row.Event.Subjects
		}
		for j, t := range texts {
			if t != TextSubjects {
				c.Texts[j][i] = t.of(row.Event)
			}
		}
	}
	return c
}

// Columns reads them of the rows that the query asks for, in the segment's order.
func (s *Store) Columns(ctx context.Context, seg Segment, q Query, texts ...Text) (Columns, error) {
	c := Columns{Texts: make([][]string, len(texts))}
	err := s.find(ctx, seg, q, func(group parquet.RowGroup, spans []span) error { return c.read(group, spans, texts) })
	return c, err
}

func (c *Columns) read(group parquet.RowGroup, spans []span, texts []Text) error {
	for name, to := range map[string]*[]int64{"time": &c.Times, "rows": &c.Rows} {
		chunk, err := column(group, name)
		if err != nil {
			return err
		}
		if err := visit(chunk, spans, func(_ int64, v parquet.Value) { *to = append(*to, v.Int64()) }); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	for i, t := range texts {
		chunk, err := column(group, string(t))
		if err != nil {
			return err
		}
		shared := sharedTexts{}
		if t == TextSubjects {
			err = c.readSubjects(chunk, spans, shared)
		} else {
			err = visit(chunk, spans, func(_ int64, v parquet.Value) { c.Texts[i] = append(c.Texts[i], shared.of(v)) })
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", t, err)
		}
	}
	return nil
}

func (c *Columns) readSubjects(chunk parquet.ColumnChunk, spans []span, shared sharedTexts) error {
	last := int64(-1)
	return visit(chunk, spans, func(row int64, v parquet.Value) {
		if row != last {
			c.Subjects, last = append(c.Subjects, nil), row
		}
		if !v.IsNull() {
			of := &c.Subjects[len(c.Subjects)-1]
			*of = append(*of, shared.of(v))
		}
	})
}

// sharedTexts gives equal texts the same bytes.
type sharedTexts map[string]string

func (s sharedTexts) of(v parquet.Value) string {
	b := v.ByteArray()
	text, ok := s[string(b)]
	if !ok {
		text = string(b)
		s[text] = text
	}
	return text
}
