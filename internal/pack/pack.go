// Package pack is the evidence pack of a case: one signed zip file that says what vigil
// found, and out of which events, so that somebody else can check it without vigil's data.
//
// Write makes one out of what the caller gathers, and Verify reads one as somebody would
// who trusts nothing in it. The same Contents and key give the same bytes, so that two who
// make the same pack can compare them. Events are streamed both ways; in memory are the
// findings, a count for each customer (at most MaxSubjects of them), and the names by which
// they are told apart (at most a gibibyte of them), whatever a pack holds. Both are safe for
// concurrent use on different packs.
//
// Three things are signed with Ed25519 (RFC 8032): each file by its SHA-256 in the
// manifest, the manifest by a file beside it, and the bytes of the whole zip by a seal in
// its comment, so that not even a byte between the files can be changed unseen.
//
// Pseudonyms stand in it as vigil keeps them. No chat content does: vigil keeps none.
package pack

import (
	"crypto/ed25519"
	"encoding/base64"
	"time"

	"vigil"
)

// Format names the form of a pack, in what is signed.
const Format = "vigil evidence pack 1"

// The bounds of a pack.
const (
	// MaxEvents is the most events that one holds: what is more is counted, and said.
	MaxEvents = 10_000_000
	// MaxSubjects is the most customers that are listed one by one.
	MaxSubjects = 2_000_000
	// MaxAudit is the most records of the audit log, MaxTimeline the most lines of the
	// case's timeline.
	MaxAudit    = 1_000_000
	MaxTimeline = 100_000
	// maxWhole bounds a file that is read as a whole, maxLine a line of the others.
	maxWhole = 64 << 20
	maxLine  = 8 << 20
	// maxFindings bounds the bytes of the findings together, maxKept those of the names of
	// customers, sessions and conversations by which events are counted.
	maxFindings = 256 << 20
	maxKept     = 1 << 30
)

// The files of a pack, in their order.
const (
	fileReadme    = "README.txt"
	fileCase      = "case.json"
	fileTimeline  = "timeline.ndjson"
	fileFindings  = "findings.ndjson"
	fileNotices   = "notification.ndjson"
	fileEvents    = "events.ndjson"
	fileSubjects  = "subjects.ndjson"
	fileAudit     = "audit.ndjson"
	fileManifest  = "manifest.json"
	fileSignature = "manifest.sig"
)

// Contents is what a pack is made of.
type Contents struct {
	// Of says of which state of vigil it is.
	Of       Origin
	Case     vigil.Case
	Timeline []vigil.CaseEvent
	Findings []vigil.Finding
	// Notices are the revisions of the notification to the authority.
	Notices []vigil.Notice
	// Events hands over the events that may belong to the findings, in the order of time,
	// each once; those that don't are left out. Audit hands over the records of the audit
	// log that are about the case.
	Events func(yield func(*vigil.Event) error) error
	Audit  func(yield func(AuditRecord) error) error
	// Most bounds the events, zero for MaxEvents.
	Most int64
}

// Origin says of which state of vigil a pack is: by which program and settings the case
// was judged, and how far the log went.
type Origin struct {
	// Program is the version of vigil that made it. Settings is a hash over what the
	// detector is set to, Rules one over the rules that judge.
	Program  string `json:"program"`
	Settings string `json:"settings"`
	Rules    string `json:"rules"`
	// Made is when.
	Made time.Time `json:"made"`
	// LogCut is up to which entry retention has removed the log, LogJudged up to which it
	// was judged: between them lies what the findings can be computed from again.
	LogCut    uint64 `json:"log_cut"`
	LogJudged uint64 `json:"log_judged"`
	// AuditRecords and AuditHead are the length and the newest hash of the audit log,
	// the record of this pack's making included.
	AuditRecords uint64 `json:"audit_records"`
	AuditHead    string `json:"audit_head"`
}

// AuditRecord is a record of vigil's audit log with what its hash covers.
type AuditRecord struct {
	N      uint64    `json:"n"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
	What   string    `json:"what"`
	Object string    `json:"object"`
	// Previous is the hash of the record before, Hash that of this one: hexadecimal.
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// Manifest is what is signed of a pack.
type Manifest struct {
	Format string `json:"format"`
	Case   string `json:"case"`
	Of     Origin `json:"of"`
	// Counts is what the events come to, in all and for each finding.
	Counts Counts `json:"counts"`
	// LeftOut are the events beyond what one pack holds; zero when it holds all.
	LeftOut int64  `json:"events_left_out"`
	Files   []File `json:"files"`
	// Key is the public key that signs, in base64.
	Key string `json:"key"`
}

// File is one file of a pack.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// KeyText is a public key as it is printed.
func KeyText(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }

// From is from when on the events of a finding count.
func From(f *vigil.Finding) time.Time {
	if f.About == vigil.AboutSource {
		return f.Start.Add(-time.Hour)
	}
	return f.Start
}
