package talk

// Scope is a permission of the Slack app, and why it is needed.
type Scope struct{ Name, Why string }

// Scopes lists the bot token's permissions that this package uses.
func Scopes() []Scope {
	return []Scope{
		{"chat:write", "answers to who pressed a button, and questions"},
		{"commands", "/vigil"},
		{"im:write", "asking the person whom a case is about"},
		{"users:read", "finding a person's Slack account, and their time zone"},
		{"users:read.email", "finding a person's Slack account by their e-mail address"},
	}
}

// AppScope is the app-level token's permission, for Socket Mode.
const AppScope = "connections:write"

// The events that Slack tells: that the app was removed, and that its tokens don't
// hold any more.
const (
	EventUninstalled = "app_uninstalled"
	EventRevoked     = "tokens_revoked"
)

// Command is the slash command.
const Command = "/vigil"

// The paths of Handler.
const (
	PathActions  = "/slack/actions"
	PathCommands = "/slack/commands"
	PathEvents   = "/slack/events"
)
