package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/terminal"
	"vigil/internal/config"
)

// ChannelTest is what came of a test message by one channel.
type ChannelTest struct {
	Channel string `json:"channel"`
	OK      bool   `json:"ok"`
	// Receipt is by what the channel knows the message, empty where it gives none.
	Receipt string `json:"receipt,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// errNoChannel is of a configuration that tells nobody.
var errNoChannel = errors.New("no way to tell is configured: findings are printed; set slack, or alerts.channels")

// TestChannels sends a message that says that it is a test by the channels of these names,
// all where none is named. It does not go through the outbox: it is told now or not at all.
func TestChannels(ctx context.Context, cfg *config.Config, names []string, now time.Time) ([]ChannelTest, error) {
	m := liveMaker()
	m.console = cfg.ConsoleURL
	w, err := m.ways(cfg, io.Discard)
	if err != nil {
		return nil, err
	}
	there := cfg.ChannelNames()
	if len(there) == 0 {
		return nil, errNoChannel
	}
	for _, n := range names {
		if !slices.Contains(there, n) {
			return nil, fmt.Errorf("there is no channel %q; configured are: %s", n, strings.Join(there, ", "))
		}
	}
	message := alerts.Message{
		ID: "test/" + now.UTC().Format("20060102T150405Z"), Kind: alerts.KindNotice, Link: "/",
		Notice: &alerts.Notice{
			Severity: vigil.SeverityHigh, Title: "This is a test",
			Sentence: "Somebody tried at " + alerts.Moment(now) + " whether vigil can tell you something. Nothing has happened, and nothing is to be done.",
		},
	}
	var out []ChannelTest
	for _, n := range w.notifiers {
		if len(names) > 0 && !slices.Contains(names, n.Name()) {
			continue
		}
		out = append(out, testChannel(ctx, n, message))
	}
	return out, nil
}

func testChannel(ctx context.Context, n alerts.Notifier, m alerts.Message) (t ChannelTest) {
	t.Channel = n.Name()
	defer func() {
		if r := recover(); r != nil {
			t.OK, t.Problem = false, fmt.Sprintf("the channel broke: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	receipt, err := n.Notify(ctx, m)
	if err != nil {
		t.Problem = err.Error()
		return t
	}
	t.OK, t.Receipt = true, receipt
	return t
}

// PreviewKinds lists what can be previewed, in a fixed order.
func PreviewKinds() []string {
	return []string{"case", "acknowledged", "resolved", "digest", "flood", "test"}
}

// MessagePreview is a message as one would get it.
type MessagePreview struct {
	// Text is the card as it is printed, Blocks as Slack takes it (JSON).
	Text   string
	Blocks []byte
	// Problem says what is wrong with templates, empty when nothing is.
	Problem string
}

// PreviewMessage makes a message of a kind in the words of the configuration's templates,
// for the channel of this name; f is what it tells of, nil for an example.
func PreviewMessage(cfg *config.Config, kind, channel string, f *vigil.Finding, now time.Time) (MessagePreview, error) {
	var out MessagePreview
	m, err := previewMessage(kind, f, now)
	if err != nil {
		return out, err
	}
	var templates *alerts.Templates
	if cfg.Alerts.Templates != "" {
		// The channel need not be configured: this is to try templates before it is.
		names := cfg.ChannelNames()
		if !slices.Contains(names, channel) {
			names = append(slices.Clone(names), channel)
		}
		if templates, err = readTemplates(cfg.Alerts.Templates, names); err != nil {
			return out, err
		}
	}
	m.Words = templates.Words(channel, m)
	if err := templates.Problem(); err != nil {
		out.Problem = err.Error()
	}
	var text strings.Builder
	printer, err := terminal.New(&text, terminal.Config{ConsoleURL: cfg.ConsoleURL})
	if err != nil {
		return out, err
	}
	if _, err := printer.Notify(context.Background(), m); err != nil {
		return out, err
	}
	out.Text = text.String()
	n, err := slack.New(slack.Config{Token: "xoxb-preview", Channel: "C0PREVIEW", ConsoleURL: cfg.ConsoleURL, Interactive: true}, slack.Options{Logger: slog.New(slog.DiscardHandler)}) //nolint:gosec // a token that opens nothing
	if err != nil {
		return out, err
	}
	out.Blocks, err = n.Blocks(m)
	return out, err
}

func previewMessage(kind string, f *vigil.Finding, now time.Time) (alerts.Message, error) {
	if f == nil {
		f = exampleFinding(now)
	}
	c, _ := alerts.Join(nil, nil, f, now)
	switch kind {
	case "case":
	case "acknowledged":
		c.State, c.Owner, c.Acknowledged = vigil.CaseAcknowledged, "actor-0owner0000000", &vigil.Mark{By: "actor-0owner0000000", Time: now.Add(10 * time.Minute)}
	case "resolved":
		c.State, c.Owner, c.Word = vigil.CaseResolved, "actor-0owner0000000", vigil.WordMisuse
	case "digest":
		to := now.UTC().Truncate(24 * time.Hour)
		return alerts.NewDigest(alerts.Day{From: to.Add(-24 * time.Hour), To: to, Events: 48_211, Findings: []vigil.Finding{*f}, Budget: 0.5, Waiting: []vigil.Case{c}, Link: "/"}), nil
	case "flood":
		return alerts.Message{ID: "flood/preview", Kind: alerts.KindNotice, Link: "/", Notice: &alerts.Notice{
			Severity: vigil.SeverityMedium, Title: "Too many cases to tell one by one",
			Sentence: "Since " + alerts.Moment(now) + ", 312 cases are told (12 medium, 300 low) in no message of their own. High and critical ones still are.",
			Lines:    []string{"From: helpdesk-eu 290, helpdesk-us 22"},
		}}, nil
	case "test":
		return alerts.Message{ID: "test/preview", Kind: alerts.KindNotice, Notice: &alerts.Notice{Title: "This is a test", Sentence: "Nothing has happened."}}, nil
	default:
		return alerts.Message{}, fmt.Errorf("%q is nothing that can be previewed; say one of %s", kind, strings.Join(PreviewKinds(), ", "))
	}
	return alerts.Message{ID: c.ID + "-1", Kind: alerts.KindCase, Case: &c, Finding: f, Link: findingPath(f.ID)}, nil
}

// exampleFinding stands for a finding where none is given.
func exampleFinding(now time.Time) *vigil.Finding {
	now = now.UTC().Truncate(time.Minute)
	return &vigil.Finding{
		ID: "f-example", Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "actor-0example00000", ActorKind: vigil.KindHuman,
		Role: "support agent", Team: "emea", Start: now.Add(-5 * time.Hour), End: now, Detected: now, Severity: vigil.SeverityHigh, Lane: "day",
		Evidence: 6.2, Threshold: 4.1, Harm: 80, Subjects: 212, Events: 431, Rows: 2_310, Conversations: 214, Stores: []string{"helpdesk"}, Classes: []string{"chat", "contact"},
		Resources: []string{"conversations", "messages"}, ReasonsLooked: []string{"assignment", "shift"}, Unreasoned: 203,
		Sentence: "This agent read 212 customers' conversations in a day, where 9 are usual, and 203 of them without an assignment.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 212, Expected: 9, Low: 2, High: 31, P: 1e-7, Share: .7, Text: "212 customers within a day; usual is about 9, at most 31 in 99 of 100"},
			{Model: "volume", Observation: "unreasoned", Span: "day", Frame: "peers", Seen: 203, Expected: 1, High: 6, P: 1e-6, Share: .3, Text: "203 customers without a known reason within a day; usual among its peers is about 1"},
		},
		Counterfactual: "No finding with at most 31 customers in a day, or with an assignment for each.",
	}
}
