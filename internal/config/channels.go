package config

// Channel is one way to tell: its name, and exactly one of the others.
type Channel struct {
	// Name is by what routes name it. Letters, digits, ".", "_" and "-", at most 64.
	// Required and unique; "slack" and "terminal" are taken.
	Name string `yaml:"name"`
	// Slack is another channel of the workspace under slack.
	Slack *SlackChannel `yaml:"slack"`
}

// SlackChannel is a further channel of the workspace whose token stands under slack.
type SlackChannel struct {
	// Channel is the channel's id ("C0123ABC"). Required.
	Channel string `yaml:"channel"`
}
