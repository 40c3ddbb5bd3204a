package presets

import "vigil/collectors/formats"

// rasa maps Rasa's SQL tracker store (the table "events") and the HTTP API of its
// server. A sender_id is both the customer and the conversation; a column has one
// meaning, and the customer is what matters more.
func rasa() *formats.Mapping {
	const subject, conversation = formats.MeansSubject, formats.MeansConversation
	return &formats.Mapping{
		Tables: map[string]formats.Table{
			"events":  {Columns: map[string]formats.Meaning{"sender_id": subject}, Class: "chat"},
			"tracker": {Columns: map[string]formats.Meaning{"sender_id": subject}, Class: "chat"},
		},
		Paths: []formats.Path{
			{Template: "/conversations/{conversation}/tracker/events", Resource: "tracker", Class: "chat"},
			{Template: "/conversations/{conversation}/tracker", Resource: "tracker", Class: "chat"},
			{Template: "/conversations/{conversation}/story", Resource: "story", Class: "chat"},
			{Template: "/conversations/{conversation}/messages", Resource: "messages", Class: "chat", Action: "write"},
			{Template: "/conversations/{conversation}/execute", Resource: "actions", Class: "chat", Action: "execute"},
			{Template: "/conversations/{conversation}/trigger_intent", Resource: "intents", Class: "chat", Action: "execute"},
			{Template: "/conversations/{conversation}/predict", Resource: "predictions", Class: "chat", Action: "execute"},
			{Template: "/conversations", Resource: "conversations", Class: "chat"},
			{Template: "/webhooks/*/webhook", Resource: "messages", Class: "chat", Action: "write"},
			{Template: "/model/train", Resource: "model", Action: "configure"},
			{Template: "/model/**", Resource: "model", Action: "other"},
			{Template: "/model", Resource: "model", Action: "configure"},
		},
		Params: map[string]formats.Meaning{
			"sender_id": subject, "conversation_id": conversation, "conversation": conversation, "ticket": formats.MeansTicket,
		},
	}
}
