package talk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log" //nolint:depguard // the Slack client takes no other logger; its words are thrown away
	"log/slog"
	"net/url"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"vigil/alerts"
)

// fatal are the codes with which no connection will ever come about.
var fatal = map[string]bool{
	"invalid_auth": true, "not_authed": true, "account_inactive": true, "token_revoked": true, "token_expired": true,
	"not_allowed_token_type": true, "no_permission": true, "missing_scope": true, "access_denied": true, "app_not_installed": true,
}

// The pause after a connection that ended of itself, doubled up to the longest.
const (
	pauseLeast = time.Second
	pauseMost  = time.Minute
)

// Run keeps a Socket Mode connection until ctx ends, and then returns nil. It connects
// again whenever Slack or the network ends it, waiting longer each time that it does
// not come about. An error is of what no waiting mends, such as a token that is not
// valid, and says the remedy. Each message is acknowledged at once, before it is worked
// on; what can't be taken is not, so that Slack tells who pressed.
func (t *Talk) Run(ctx context.Context) error {
	if t.cfg.AppToken == "" {
		return errors.New("slack app token is missing: make one (xapp-...) with the scope " + AppScope + " on the Slack app's page, Basic Information, App-Level Tokens")
	}
	defer t.connected.Store(false)
	for pause := pauseLeast; ; pause = min(2*pause, pauseMost) {
		err := t.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var refused *alerts.RefusedError
		if errors.As(err, &refused) {
			return err
		}
		if err == nil {
			err = errors.New("it was closed")
		}
		t.counts.add("reconnected")
		t.log.Warn("slack: the socket ended; it is opened again", slog.String("reason", t.plainly(err)))
		if t.wait(ctx, pause) != nil {
			return nil
		}
	}
}

// Check asks Slack whether the tokens are valid, so that a bad one shows at start. An
// error is an *alerts.RefusedError where no waiting mends it.
func (t *Talk) Check(ctx context.Context) error {
	err := t.call(ctx, func(ctx context.Context) error {
		_, err := t.api.AuthTestContext(ctx)
		return err
	})
	what := "the bot token"
	if err == nil && t.cfg.AppToken != "" {
		// This makes an address to connect to, which nobody uses.
		what = "the app token"
		err = t.call(ctx, func(ctx context.Context) error {
			_, _, err := t.api.StartSocketModeContext(ctx)
			return err
		})
	}
	switch {
	case err == nil:
		return nil
	case fatal[code(err)]:
		return &alerts.RefusedError{Err: fmt.Errorf("slack says %s of %s", code(err), what), Remedy: remedies[code(err)], All: true}
	}
	return &alerts.RetryError{Err: fmt.Errorf("try %s: %s", what, t.plainly(err))}
}

// Connected reports whether Slack said hello on the socket that is open.
func (t *Talk) Connected() bool { return t.connected.Load() }

// connect runs one client of the library, which connects again by itself.
func (t *Talk) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := socketmode.New(t.api,
		socketmode.OptionReadLimit(maxBody),
		socketmode.OptionLog(log.New(io.Discard, "", 0)),
	)
	read := make(chan struct{})
	go func() {
		defer close(read)
		t.read(ctx, client, cancel)
	}()
	err := client.RunContext(ctx)
	cancel(err)
	<-read
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if fatal[code(err)] {
		return &alerts.RefusedError{Err: fmt.Errorf("slack says %s", code(err)), Remedy: remedies[code(err)], All: true}
	}
	return err
}

// read takes what the client tells. It never waits for work, so that the client can
// always tell more.
func (t *Talk) read(ctx context.Context, client *socketmode.Client, stop context.CancelCauseFunc) {
	last := ""
	for {
		var e socketmode.Event
		select {
		case <-ctx.Done():
			return
		case e = <-client.Events:
		}
		switch e.Type {
		case socketmode.EventTypeConnecting:
			t.connected.Store(false)
		case socketmode.EventTypeHello:
			last = ""
			t.connected.Store(true)
			t.counts.add("connected")
			t.log.Info("slack: the socket is open")
		case socketmode.EventTypeConnectionError:
			ce, ok := e.Data.(*slack.ConnectionErrorEvent)
			if !ok {
				continue
			}
			t.counts.add("connect_errors")
			if fatal[code(ce.ErrorObj)] {
				stop(ce.ErrorObj)
				return
			}
			// What repeats is told when it changes.
			if why := t.plainly(ce.ErrorObj); why != last {
				last = why
				t.log.Warn("slack: the socket can't be opened; it is tried again", slog.String("reason", why), slog.Duration("after", ce.Backoff))
			}
		case socketmode.EventTypeErrorBadMessage:
			// The library knows fewer forms of a message than Slack; we read what we need.
			var req socketmode.Request
			if bm, ok := e.Data.(*socketmode.ErrorBadMessage); ok && json.Unmarshal(bm.Message, &req) == nil {
				t.envelope(ctx, client, req)
			}
		case socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand, socketmode.EventTypeEventsAPI:
			if e.Request != nil {
				t.envelope(ctx, client, *e.Request)
			}
		}
	}
}

// envelope takes one message and acknowledges it.
func (t *Talk) envelope(ctx context.Context, client *socketmode.Client, req socketmode.Request) {
	if req.EnvelopeID == "" || len(req.EnvelopeID) > maxID {
		t.odd(bad("an envelope has no id"))
		return
	}
	ack := func(answer any) {
		// Slack waits no longer than for a trigger, and reading must go on while nothing
		// can be sent.
		ctx, cancel := context.WithTimeout(ctx, t.triggerTime)
		defer cancel()
		if err := client.AckCtx(ctx, req.EnvelopeID, answer); err != nil && ctx.Err() == nil {
			t.untold("an answer can't be sent on the socket", err)
		}
	}
	var in incoming
	var err error
	switch req.Type {
	case socketmode.RequestTypeInteractive:
		in, err = parsePayload(req.Payload)
	case socketmode.RequestTypeSlashCommands:
		var fields map[string]any
		if err = json.Unmarshal(req.Payload, &fields); err == nil {
			in, err = parseCommand(asForm(fields))
		} else {
			err = bad("it is not its JSON")
		}
	case socketmode.RequestTypeEventsAPI:
		var e event
		if json.Unmarshal(req.Payload, &e) == nil {
			t.event(e)
		}
		ack(nil)
		return
	default:
		return
	}
	if err != nil {
		t.odd(err)
		ack(nil) // it would not be understood the second time either
		return
	}
	if in.kind != kindSubmit && in.kind != kindCommand {
		if _, err := t.take(in); err == nil {
			ack(nil)
		}
		return
	}
	// These are answered with what came of them, for which nothing else may wait.
	select {
	case t.answers <- struct{}{}:
	default:
		t.counts.add("busy")
		return
	}
	go func() {
		defer func() { <-t.answers }()
		if answer, err := t.take(in); err == nil {
			ack(answer)
		}
	}()
}

// asForm are a command's fields as HTTP brings them.
func asForm(fields map[string]any) url.Values {
	f := url.Values{}
	for k, v := range fields {
		if s, ok := v.(string); ok {
			f.Set(k, s)
		}
	}
	return f
}
