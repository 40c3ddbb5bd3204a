package jira

import (
	"strings"
	"unicode/utf8"

	"vigil/alerts"
)

// Jira's bounds, in characters.
const (
	maxSummary     = 255
	maxDescription = 32_000
	maxText        = 2000
)

// document is rich text before it gets the form that a Jira takes: Jira Cloud's
// documents, or the markup of Data Center.
type document []block

// block is a paragraph, a heading, a list item with its label, or a link of vigil's own.
type block struct {
	kind  blockKind
	label string
	text  string
}

type blockKind int

const (
	paragraph blockKind = iota + 1
	heading
	item
	address
)

// plain makes foreign text fit: one line, nothing invisible, and no address that Jira
// would turn into a link.
func plain(s string, max int) string {
	return alerts.Cut(strings.ReplaceAll(alerts.Clean(s), "://", "[:]//"), max)
}

// lines is plain text whose line breaks are vigil's own.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = plain(p, maxText)
	}
	return strings.Join(parts, "; ")
}

// describe is the description of an issue.
func describe(m alerts.Message, console string) document {
	card := alerts.CardOf(m, console)
	var d document
	add := func(k blockKind, label, text string) {
		if text != "" {
			d = append(d, block{k, label, text})
		}
	}
	add(paragraph, "", plain(card.Sentence, maxText))
	for _, l := range card.Notes {
		add(item, "", plain(l, maxText))
	}
	for _, f := range card.Fields {
		add(item, plain(f.Label, maxSummary), lines(f.Value.String()))
	}
	if len(card.Why) > 0 {
		add(heading, "", "Why")
	}
	for _, r := range card.Why {
		add(item, "", plain(r.Text, maxText))
	}
	add(paragraph, "", plain(card.Counterfactual, maxText))
	add(paragraph, "", plain(card.NotJudged, maxText))
	add(paragraph, "", plain(card.Footer, maxText))
	if card.Link != "" {
		add(address, "Open in vigil", card.Link)
	}
	if len(d) == 0 {
		add(paragraph, "", "Nothing more is known.")
	}
	return d
}

// summary is the title. Jira shows it as it is. Whether the case is over is the
// issue's status to say, not the title's.
func summary(m alerts.Message, console string) string {
	title := alerts.CardOf(m, console).Title
	for _, state := range []string{"Resolved · ", "Closed · "} {
		title = strings.TrimPrefix(title, state)
	}
	if title = plain(title, maxSummary); strings.TrimSpace(title) == "" {
		return "vigil"
	}
	return title
}

// remark is a comment, which ends with the mark by which it is found again.
func remark(text, mark string) document {
	return document{{paragraph, "", text}, {paragraph, "", mark}}
}

// node is a node of the Atlassian Document Format. Text nodes are shown as they are:
// nothing in them is markup.
type node struct {
	Type    string         `json:"type"`
	Version int            `json:"version,omitempty"`
	Attrs   map[string]any `json:"attrs,omitempty"`
	Content []node         `json:"content,omitempty"`
	Text    string         `json:"text,omitempty"`
	Marks   []node         `json:"marks,omitempty"`
}

// cloud is the document in the Atlassian Document Format.
func (d document) cloud() node {
	doc := node{Type: "doc", Version: 1}
	left := maxDescription
	text := func(s string) node {
		s = alerts.Cut(s, max(left, 1))
		left -= len(s)
		return node{Type: "text", Text: s}
	}
	for _, b := range d {
		switch b.kind {
		case heading:
			doc.Content = append(doc.Content, node{Type: "heading", Attrs: map[string]any{"level": 3}, Content: []node{text(b.text)}})
		case item:
			line := node{Type: "paragraph"}
			if b.label != "" {
				label := text(b.label + ":")
				label.Marks = []node{{Type: "strong"}}
				line.Content = append(line.Content, label, text(" "))
			}
			line.Content = append(line.Content, text(b.text))
			if n := len(doc.Content); n == 0 || doc.Content[n-1].Type != "bulletList" {
				doc.Content = append(doc.Content, node{Type: "bulletList"})
			}
			list := &doc.Content[len(doc.Content)-1]
			list.Content = append(list.Content, node{Type: "listItem", Content: []node{line}})
		case address:
			link := node{Type: "text", Text: b.label, Marks: []node{{Type: "link", Attrs: map[string]any{"href": b.text}}}}
			doc.Content = append(doc.Content, node{Type: "paragraph", Content: []node{link}})
		default:
			doc.Content = append(doc.Content, node{Type: "paragraph", Content: []node{text(b.text)}})
		}
	}
	return doc
}

const noformat = "{noformat}"

// unmarked keeps text from ending the block that shows it as it is, and from calling
// people, which Jira looks for there too.
var unmarked = strings.NewReplacer("{", "｛", "}", "｝", "[~", "[˜")

// wide is where lines of the markup are broken: a block that is shown as it is does not
// break them.
const wide = 100

// broken breaks a line at spaces, and indents what follows.
func broken(s string) string {
	var b strings.Builder
	n := 0
	for i, w := range strings.Split(s, " ") {
		k := utf8.RuneCountInString(w)
		switch {
		case i == 0:
		case n+1+k > wide:
			b.WriteString("\n  ")
			n = 2
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += k
	}
	return b.String()
}

// markup is the document in the markup of Data Center. It knows no escape that holds
// everywhere; so all text stands in one block that is shown as it is, and only vigil's own
// link outside.
func (d document) markup() string {
	var b strings.Builder
	link := ""
	for _, p := range d {
		text := p.text
		switch p.kind {
		case address:
			link = "\n[" + p.label + "|" + linkEscapes.Replace(p.text) + "]"
			continue
		case item:
			if p.label != "" {
				text = p.label + ": " + text
			}
			text = "- " + text
		default:
			b.WriteString("\n")
		}
		b.WriteString(broken(text) + "\n")
	}
	text := alerts.Cut(strings.Trim(b.String(), "\n"), maxDescription-len(link)-2*len(noformat))
	return noformat + "\n" + unmarked.Replace(text) + "\n" + noformat + link
}

// linkEscapes are what would end a link's address in the markup, or mark it.
var linkEscapes = strings.NewReplacer("|", "%7C", "[", "%5B", "]", "%5D", "{", "%7B", "}", "%7D", "!", "%21", "*", "%2A", "^", "%5E", "\\", "%5C")
