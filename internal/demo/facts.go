package demo

import (
	"vigil"
	"vigil/collectors/formats"
)

// ActorRule says what the logins that match a glob are, the way that the
// configuration's actor rules do.
type ActorRule struct {
	// Match is a glob on the login ("*" any run of characters).
	Match string
	// Kind, Role and Team are given to an actor whose login matches.
	Kind       vigil.ActorKind
	Role, Team string
}

// ActorRules says who is who at the recorded help desk. The first match wins.
func ActorRules() []ActorRule {
	return []ActorRule{
		{Match: "emea.*", Kind: vigil.KindHuman, Role: "agent", Team: "emea"},
		{Match: "amer.*", Kind: vigil.KindHuman, Role: "agent", Team: "amer"},
		{Match: "apac.*", Kind: vigil.KindHuman, Role: "agent", Team: "apac"},
		{Match: "qa.*", Kind: vigil.KindHuman, Role: "supervisor", Team: "quality"},
		{Match: "eng.*", Kind: vigil.KindAdmin, Role: "engineer", Team: "platform"},
		{Match: "bot_*", Kind: vigil.KindBot, Role: "chatbot"},
		{Match: "vendor_*", Kind: vigil.KindVendor, Role: "vendor"},
		{Match: "svc_*", Kind: vigil.KindService, Role: "service"},
	}
}

// Mapping says what the columns of the help desk's tables mean. Each call
// returns a new one, which the caller may change.
func Mapping() *formats.Mapping {
	const (
		subject      = formats.MeansSubject
		conversation = formats.MeansConversation
		tenant       = formats.MeansTenant
	)
	type columns = map[string]formats.Meaning
	return &formats.Mapping{
		Tables: map[string]formats.Table{
			"accounts":      {Columns: columns{"id": tenant}, Class: "account"},
			"contacts":      {Columns: columns{"id": subject, "account_id": tenant}, Class: "contact"},
			"conversations": {Columns: columns{"id": conversation, "contact_id": subject, "account_id": tenant}, Class: "chat"},
			"messages":      {Columns: columns{"conversation_id": conversation, "account_id": tenant}, Class: "chat"},
			"cases":         {Columns: columns{"contact_id": subject, "conversation_id": conversation, "account_id": tenant}, Class: "case"},
			"attachments":   {Columns: columns{"conversation_id": conversation}, Class: "chat"},
			"users":         {Class: "staff"},
		},
		// The bot's statements end in a comment that names the chat they serve.
		Params: map[string]formats.Meaning{"conversation": conversation},
	}
}
