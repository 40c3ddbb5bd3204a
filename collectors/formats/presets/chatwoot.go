package presets

import "vigil/collectors/formats"

// chatwoot maps Chatwoot 3 and 4. Its API and its users speak of a conversation
// by display_id, its tables by id; they are different numbers, and both mean one
// conversation. messages.sender_id is a customer only when sender_type says
// "Contact", so it means nothing here.
func chatwoot() *formats.Mapping {
	const (
		subject      = formats.MeansSubject
		conversation = formats.MeansConversation
		tenant       = formats.MeansTenant
	)
	type columns = map[string]formats.Meaning
	account := func(class string, more columns) formats.Table {
		c := columns{"account_id": tenant}
		for k, v := range more {
			c[k] = v
		}
		return formats.Table{Columns: c, Class: class}
	}
	talk := columns{"conversation_id": conversation}
	return &formats.Mapping{
		Tables: map[string]formats.Table{
			"contacts":                     account("contact", columns{"id": subject}),
			"contact_inboxes":              {Columns: columns{"contact_id": subject}, Class: "contact"},
			"notes":                        account("contact", columns{"contact_id": subject}),
			"conversations":                account("chat", columns{"id": conversation, "display_id": conversation, "uuid": conversation, "contact_id": subject}),
			"messages":                     account("chat", talk),
			"attachments":                  account("chat", nil),
			"mentions":                     account("chat", talk),
			"conversation_participants":    account("chat", talk),
			"csat_survey_responses":        account("feedback", columns{"conversation_id": conversation, "contact_id": subject}),
			"applied_slas":                 account("chat", talk),
			"sla_events":                   account("chat", talk),
			"reporting_events":             account("metrics", talk),
			"copilot_threads":              account("chat", nil),
			"copilot_messages":             account("chat", nil),
			"data_imports":                 account("contact", nil),
			"companies":                    account("contact", nil),
			"custom_attribute_definitions": account("settings", nil),
			"custom_filters":               account("settings", nil),
			"canned_responses":             account("settings", nil),
			"automation_rules":             account("settings", nil),
			"macros":                       account("settings", nil),
			"webhooks":                     account("settings", nil),
			"integrations_hooks":           account("settings", nil),
			"inboxes":                      account("settings", nil),
			"teams":                        account("settings", nil),
			"labels":                       account("settings", nil),
			"notifications":                account("chat", nil),
			"account_users":                account("staff", nil),
			"accounts":                     {Columns: columns{"id": tenant}, Class: "settings"},
			"users":                        {Class: "staff"},
			"access_tokens":                {Class: "credential"},
			"platform_apps":                {Class: "credential"},
			"channel_api":                  account("credential", nil),
			"channel_email":                account("credential", nil),
			"channel_whatsapp":             account("credential", nil),
			"channel_facebook_pages":       account("credential", nil),
			"channel_instagram":            account("credential", nil),
			"channel_line":                 account("credential", nil),
			"channel_sms":                  account("credential", nil),
			"channel_telegram":             account("credential", nil),
			"channel_twilio_sms":           account("credential", nil),
			"channel_twitter_profiles":     account("credential", nil),
			"channel_voice":                account("credential", nil),
			"channel_web_widgets":          account("settings", nil),
			"active_storage_blobs":         {Class: "chat"},
			"active_storage_attachments":   {Class: "chat"},
			"audits":                       {Class: "audit"},
			"schema_migrations":            {Ignore: true},
			"ar_internal_metadata":         {Ignore: true},
			"installation_configs":         {Ignore: true},
		},
		Paths: []formats.Path{
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/messages/**", Resource: "messages", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/messages", Resource: "messages", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/transcript", Resource: "messages", Class: "chat", Action: "export"},
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/attachments", Resource: "attachments", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/conversations/search", Resource: "conversations", Class: "chat", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/conversations/filter", Resource: "conversations", Class: "chat", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/conversations/meta", Resource: "conversations", Class: "metrics"},
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/**", Resource: "conversations", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}", Resource: "conversations", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/conversations", Resource: "conversations", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/contacts/search", Resource: "contacts", Class: "contact", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/contacts/filter", Resource: "contacts", Class: "contact", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/contacts/active", Resource: "contacts", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/contacts/export", Resource: "contacts", Class: "contact", Action: "export"},
			{Template: "/api/v1/accounts/{tenant}/contacts/import", Resource: "contacts", Class: "contact", Action: "write"},
			{Template: "/api/v1/accounts/{tenant}/contacts/{subject}/conversations", Resource: "conversations", Class: "chat"},
			{Template: "/api/v1/accounts/{tenant}/contacts/{subject}/notes/**", Resource: "notes", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/contacts/{subject}/notes", Resource: "notes", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/contacts/{subject}/**", Resource: "contacts", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/contacts/{subject}", Resource: "contacts", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/contacts", Resource: "contacts", Class: "contact"},
			{Template: "/api/v1/accounts/{tenant}/search/**", Resource: "search", Class: "chat", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/search", Resource: "search", Class: "chat", Action: "search"},
			{Template: "/api/v1/accounts/{tenant}/csat_survey_responses/download", Resource: "csat_survey_responses", Class: "feedback", Action: "export"},
			{Template: "/api/v1/accounts/{tenant}/csat_survey_responses/**", Resource: "csat_survey_responses", Class: "feedback"},
			{Template: "/api/v1/accounts/{tenant}/csat_survey_responses", Resource: "csat_survey_responses", Class: "feedback"},
			{Template: "/api/v1/accounts/{tenant}/webhooks/**", Resource: "webhooks", Class: "settings", Action: "configure"},
			{Template: "/api/v1/accounts/{tenant}/webhooks", Resource: "webhooks", Class: "settings", Action: "configure"},
			{Template: "/api/v1/accounts/{tenant}/agents/**", Resource: "agents", Class: "staff"},
			{Template: "/api/v1/accounts/{tenant}/audit_logs", Resource: "audit_logs", Class: "audit"},
			{Template: "/api/v2/accounts/{tenant}/reports/**", Resource: "reports", Class: "metrics"},
			{Template: "/api/v1/accounts/{tenant}/**", Resource: "account", Class: "settings"},
			{Template: "/rails/active_storage/**", Resource: "attachments", Class: "chat"},
			{Template: "/auth/sign_in", Resource: "session", Action: "login"},
			{Template: "/auth/sign_out", Resource: "session", Action: "logout"},
		},
		Params: map[string]formats.Meaning{
			"account_id": tenant, "conversation_id": conversation, "contact_id": subject,
			"conversation": conversation, "contact": subject, "ticket": formats.MeansTicket,
		},
	}
}
