package talk

import (
	"context"

	"github.com/slack-go/slack"

	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// dialogue is a form of Slack's and what it does.
type dialogue struct {
	// title and submit are at most 24 characters.
	title, submit string
	// look makes the form of a press, after having looked at what it is about; nil for
	// a page that no press opens.
	look func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest
	// blocks are the form's, with what was typed before.
	blocks func(d draft) []slack.Block
	// wrong says what can't be taken, by input; nil when nothing is typed.
	wrong func(in incoming, wrong map[string]string)
	// act is what is done on submission, and done what is said then unless the desk says
	// it.
	act  func(ctx context.Context, t *Talk, in incoming) alerts.Act
	done string
	// after is what there is to do when it is done; nil for saying so.
	after func(ctx context.Context, t *Talk, in incoming, out alerts.Outcome) outcome
}

// draft is what a form shows.
type draft struct {
	meta meta
	// head says what it is about, for mrkdwn; values is what is typed and chosen, by
	// input; failed says why the last try was not done.
	head     string
	values   map[string]string
	failed   string
	covered  *alerts.Covered
	question *alerts.Question
	actor    string
}

// dialogueOf knows all dialogues by the button that opens them.
func dialogueOf(name string) (dialogue, bool) {
	switch name {
	case cards.ActionVerdict:
		return verdictForm(), true
	case cards.ActionSnooze:
		return snoozeForm(), true
	case cards.ActionAssign:
		return assignForm(), true
	case cards.ActionNote:
		return noteForm(), true
	case cards.ActionAware:
		return awareForm(), true
	case cards.ActionExpect:
		return expectForm(), true
	case cards.ActionAsk:
		return askForm(), true
	case actionMine:
		return mineForm(), true
	case ShortcutSilence:
		return silenceForm(), true
	case actionSilenced:
		return silencedForm(), true
	}
	return dialogue{}, false
}

func titleOf(name string) string {
	if d, ok := dialogueOf(name); ok {
		return d.title
	}
	return "vigil"
}

// form draws a dialogue.
func (d dialogue) form(name string, dr draft) *slack.ModalViewRequest {
	var blocks []slack.Block
	if dr.failed != "" {
		blocks = append(blocks, section("⚠ "+dr.failed))
	}
	if dr.head != "" {
		blocks = append(blocks, markedSection(dr.head))
	}
	v := frame(d.title, append(blocks, d.blocks(dr)...)...)
	v.CallbackID = name
	v.PrivateMetadata = dr.meta.String()
	v.Submit = plain(d.submit, 24)
	v.Close = plain("Cancel", 24)
	return v
}

// page shows what came of something, and has nothing to press but to close it.
func page(title string, m message) *slack.ModalViewRequest { return frame(title, m.blocks...) }

func waiting(title string) *slack.ModalViewRequest {
	return frame(title, section("One moment: vigil is looking…"))
}

func frame(title string, blocks ...slack.Block) *slack.ModalViewRequest {
	return &slack.ModalViewRequest{
		Type:   slack.VTModal,
		Title:  plain(title, 24),
		Close:  plain("Close", 24),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// looked makes the form of a press about a case, after having looked at it.
func looked(name string, d func() dialogue) func(context.Context, *Talk, incoming) slack.ModalViewRequest {
	return func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
		form := d()
		out, failed := t.do(ctx, alerts.Act{By: in.by, Deed: alerts.DeedLook, Case: in.meta.Case})
		if failed != nil {
			return *page(form.title, said(failed.words))
		}
		return *form.form(name, draft{meta: in.meta, head: t.headOf(out)})
	}
}

// headOf says which case it is.
func (t *Talk) headOf(out alerts.Outcome) string {
	if out.Case == nil {
		return ""
	}
	s := t.caseLine(out.Case)
	if out.Finding != nil && out.Finding.Sentence != "" {
		s += "\n" + proseOf(out.Finding.Sentence)
	}
	return s
}

// choice is one option of an input.
type choice struct{ value, text, description string }

func options(cs []choice) []*slack.OptionBlockObject {
	out := make([]*slack.OptionBlockObject, 0, len(cs))
	for _, c := range cs {
		var d *slack.TextBlockObject
		if c.description != "" {
			d = plain(c.description, 75)
		}
		out = append(out, slack.NewOptionBlockObject(c.value, plain(c.text, 75), d))
	}
	return out
}

// chosen is the option of a value, nil for none: Slack takes no other initial option.
func chosen(os []*slack.OptionBlockObject, value string) *slack.OptionBlockObject {
	for _, o := range os {
		if o.Value == value {
			return o
		}
	}
	return nil
}

func known(cs []choice, value string) bool {
	for _, c := range cs {
		if c.value == value {
			return true
		}
	}
	return false
}

// An input's block and the input itself have one name.

func radio(name, label string, cs []choice, value string) *slack.InputBlock {
	os := options(cs)
	e := slack.NewRadioButtonsBlockElement(name, os...)
	e.InitialOption = chosen(os, value)
	return slack.NewInputBlock(name, plain(label, 100), nil, e)
}

func pick(name, label string, cs []choice, value string) *slack.InputBlock {
	os := options(cs)
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Choose", 30), name, os...)
	e.InitialOption = chosen(os, value)
	return slack.NewInputBlock(name, plain(label, 100), nil, e)
}

// write is an input to write in, at most maxWritten characters: their bytes fit into
// what vigil keeps of a note.
func write(name, label, hint, value string, long bool) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, name)
	e.MaxLength = maxWritten
	e.Multiline = long
	e.InitialValue = value
	var h *slack.TextBlockObject
	if hint != "" {
		h = plain(hint, 200)
	}
	return slack.NewInputBlock(name, plain(label, 100), h, e)
}

const maxWritten = 500
