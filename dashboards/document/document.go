// Package document writes what is handed to others on paper: one Document as one page of
// HTML that needs nothing else, and as a PDF on A4.
//
// The same Document gives the same bytes: no clock is read. All functions are pure and
// safe for concurrent use. What comes from outside is shown as text, cut, with what does
// not show escaped; see Text, Name and phrase. dashboards/audit and dashboards/notice say
// what stands in a document.
package document

import (
	"time"

	"vigil/dashboards/phrase"
)

// Document is what the page and the PDF both say.
type Document struct {
	// Kind is what it is, such as "Audit report"; About is of what, such as a month.
	Kind, About string
	// Subject says in a sentence what it is about, for the PDF's own description.
	Subject string
	// Number tells it apart, at the head of each sheet; Mark is at the foot, beside when
	// it was made.
	Number, Mark string
	Made         time.Time
	// Facts are the lines of the head, Notes what a reader must know first, Summary what
	// one who reads nothing else should have read.
	Facts    []Fact
	Notes    []string
	Summary  []Figure
	Sections []Section
	// Closing stands at the end of the page, with a Command that does what it says.
	Closing, Command string
}

// heading is the title on the page.
func (d *Document) heading() string {
	if d.About == "" {
		return d.Kind
	}
	return d.Kind + ", " + d.About
}

// Fact is a line of the head.
type Fact struct{ Name, Value string }

// Figure is a number with its word.
type Figure struct {
	Value, Word string
	Tone        Tone
}

// Tone is how a value is set off.
type Tone string

// The tones; the zero Tone sets nothing off.
const (
	ToneBad  Tone = "bad"
	ToneWarn Tone = "warn"
	ToneGood Tone = "good"
	ToneSoft Tone = "soft"
)

// Section is a part under a heading of its own. Key is its address on the page.
type Section struct {
	Key, Heading string
	// Lead are its paragraphs; empty ones are left out.
	Lead    []string
	Figures []Figure
	Tables  []Table
}

// Table is rows under columns, of which there are as many as each row has cells.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell
	// Empty stands instead of a table without rows; Note below one with.
	Empty, Note string
}

// Column is a column's head; Weight is its share of the width.
type Column struct {
	Name   string
	Weight float64
	Number bool
}

// Left is a column of words, Right one of numbers.
func Left(name string, weight float64) Column { return Column{Name: name, Weight: weight} }

// Right is a column of numbers.
func Right(name string, weight float64) Column {
	return Column{Name: name, Weight: weight, Number: true}
}

func (c Column) right() bool { return c.Number }

// Cell is one value: ID says that it is a name as logs give it, By that counts by day
// are drawn in it.
type Cell struct {
	Text string
	ID   bool
	Tone Tone
	By   []int64
}

// Toned is the cell set off.
func (c Cell) Toned(t Tone) Cell { c.Tone = t; return c }

// Text is foreign text in a cell, cut at 320 letters.
func Text(s string) Cell { return Cell{Text: phrase.Prose(s, 320)} }

// Name is a name as logs give it, cut at 80 letters.
func Name(s string) Cell {
	if s == "" {
		return Cell{Text: phrase.None, Tone: ToneSoft}
	}
	return Cell{Text: phrase.Text(s, 80), ID: true}
}

// Number is a count.
func Number(n int64) Cell { return Cell{Text: phrase.Count(n)} }

// Day is a day of the calendar in UTC, none for the zero time.
func Day(t time.Time) Cell { return clock(t, "2 Jan 2006") }

// Moment is a minute in UTC, none for the zero time.
func Moment(t time.Time) Cell { return clock(t, "2 Jan 2006 15:04") }

func clock(t time.Time, form string) Cell {
	if t.IsZero() {
		return Cell{Text: phrase.None, Tone: ToneSoft}
	}
	return Cell{Text: t.UTC().Format(form)}
}
