package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// schemaSQL is a support-chat schema. Time columns have no default: the
// application sets them, as most do.
const schemaSQL = `
CREATE EXTENSION pgaudit;
CREATE TABLE accounts (id bigserial PRIMARY KEY, name text NOT NULL, region text NOT NULL);
CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, email text NOT NULL, role text NOT NULL, team text NOT NULL);
CREATE TABLE contacts (id bigserial PRIMARY KEY, account_id bigint NOT NULL, name text NOT NULL, email text NOT NULL,
  phone_number text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE conversations (id bigserial PRIMARY KEY, account_id bigint NOT NULL, contact_id bigint NOT NULL, assignee_id bigint,
  team text NOT NULL, channel text NOT NULL, status text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE messages (id bigserial PRIMARY KEY, account_id bigint NOT NULL, conversation_id bigint NOT NULL, sender_type text NOT NULL,
  sender_id bigint, content text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE cases (id bigserial PRIMARY KEY, account_id bigint NOT NULL, contact_id bigint NOT NULL, conversation_id bigint,
  status text NOT NULL, priority text NOT NULL, subject text NOT NULL, description text NOT NULL,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE attachments (id bigserial PRIMARY KEY, conversation_id bigint NOT NULL, message_id bigint NOT NULL, file_name text NOT NULL,
  file_size int NOT NULL, created_at timestamptz NOT NULL);
`

// indexSQL is applied once the data is in.
const indexSQL = `
CREATE INDEX ON contacts (email);
CREATE INDEX ON contacts (updated_at);
CREATE INDEX ON conversations (contact_id);
CREATE INDEX ON conversations (account_id, status, updated_at);
CREATE INDEX ON messages (conversation_id);
CREATE INDEX ON messages (created_at);
CREATE INDEX ON cases (contact_id);
CREATE INDEX ON cases (updated_at);
CREATE INDEX ON attachments (conversation_id);
ANALYZE;
`

// grantSQL is what each group of logins may do.
const grantSQL = `
CREATE ROLE agents; CREATE ROLE supervisors; CREATE ROLE engineers; CREATE ROLE chatbot;
CREATE ROLE inbound; CREATE ROLE exporter; CREATE ROLE reporting; CREATE ROLE crm_vendor;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO agents, supervisors, engineers, exporter, reporting;
GRANT INSERT ON messages, cases TO agents;
GRANT UPDATE ON conversations, contacts, cases TO agents, supervisors;
GRANT UPDATE ON ALL TABLES IN SCHEMA public TO engineers;
GRANT SELECT, INSERT ON conversations, messages TO chatbot, inbound;
GRANT SELECT ON contacts, cases TO chatbot, inbound, crm_vendor;
GRANT UPDATE ON conversations TO chatbot, inbound;
GRANT INSERT, UPDATE ON contacts TO inbound;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO agents, chatbot, inbound;
`

// prepare fills the store with what it held when the recording begins. It runs
// on a server that does not audit yet.
func prepare(ctx context.Context, srv *server, w *world, staff []member) (err error) {
	boot, err := srv.admin(ctx, "postgres")
	if err != nil {
		return err
	}
	_, err = boot.Exec(ctx, "CREATE DATABASE helpdesk")
	if err := errors.Join(err, boot.Close(ctx)); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	c, err := srv.admin(ctx, "helpdesk")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	if _, err := c.Exec(ctx, schemaSQL); err != nil {
		return fmt.Errorf("create the schema: %w", err)
	}
	if err := fill(ctx, c, w, staff); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, indexSQL+grantSQL); err != nil {
		return fmt.Errorf("create indexes and groups: %w", err)
	}
	for _, m := range staff {
		_, err := c.Exec(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE %s",
			pgx.Identifier{m.login}.Sanitize(), password, m.group))
		if err != nil {
			return fmt.Errorf("create login %q: %w", m.login, err)
		}
	}
	return nil
}

// fill copies the world into the tables.
func fill(ctx context.Context, c *pgx.Conn, w *world, staff []member) error {
	var accounts, users, contacts, conversations, messages, cases, attachments [][]any
	for i, t := range teams {
		accounts = append(accounts, []any{int64(i + 1), t.brand, t.name})
	}
	for i, m := range staff {
		users = append(users, []any{int64(i + 1), m.name, m.login + "@desk.example", m.group, m.team})
	}
	for _, p := range w.contacts[1:] {
		contacts = append(contacts, []any{p.id, p.account, p.name, p.email, p.phone, p.created, p.created})
	}
	for _, v := range w.conversations[1:] {
		conversations = append(conversations, []any{v.id, v.account, v.contact, v.assignee, teams[v.account-1].name, v.channel, v.status, v.created, v.updated})
	}
	for _, m := range w.history {
		messages = append(messages, []any{m.id, w.conversations[m.conversation].account, m.conversation, m.sender, nil, m.content, m.at})
		if m.attachment != "" {
			attachments = append(attachments, []any{int64(len(attachments) + 1), m.conversation, m.id, m.attachment, int32(len(m.attachment) * 9_173), m.at})
		}
	}
	for _, k := range w.cases[1:] {
		cases = append(cases, []any{k.id, k.account, k.contact, k.conversation, k.status, k.priority, k.subject, k.description, k.updated, k.updated})
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"accounts", []string{"id", "name", "region"}, accounts},
		{"users", []string{"id", "name", "email", "role", "team"}, users},
		{"contacts", []string{"id", "account_id", "name", "email", "phone_number", "created_at", "updated_at"}, contacts},
		{"conversations", []string{"id", "account_id", "contact_id", "assignee_id", "team", "channel", "status", "created_at", "updated_at"}, conversations},
		{"messages", []string{"id", "account_id", "conversation_id", "sender_type", "sender_id", "content", "created_at"}, messages},
		{"cases", []string{"id", "account_id", "contact_id", "conversation_id", "status", "priority", "subject", "description", "created_at", "updated_at"}, cases},
		{"attachments", []string{"id", "conversation_id", "message_id", "file_name", "file_size", "created_at"}, attachments},
	} {
		if _, err := c.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return fmt.Errorf("fill table %q: %w", t.name, err)
		}
		if _, err := c.Exec(ctx, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', 'id'), (SELECT max(id) FROM %[1]s))", t.name)); err != nil {
			return fmt.Errorf("set the sequence of table %q: %w", t.name, err)
		}
	}
	return nil
}
