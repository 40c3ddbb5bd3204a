package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations are run in order, each in its own transaction; the number of those
// done is the database's user_version. One that has shipped is never changed.
func migrations() []string {
	return []string{`
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('applied', 0), ('cut', 0), ('last', 0);

-- One row for each entry of the log. What a batch holds is in body until it is
-- sealed, and then in the segment. Times are UTC nanoseconds.
CREATE TABLE entry (
	seq      INTEGER PRIMARY KEY,
	kind     TEXT NOT NULL,
	source   TEXT NOT NULL,
	accepted INTEGER NOT NULL,
	events   INTEGER NOT NULL,
	first    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	sum      INTEGER NOT NULL,
	segment  INTEGER NOT NULL DEFAULT 0,
	damaged  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX entry_unsealed ON entry (seq) WHERE segment = 0 AND events > 0;
CREATE TABLE body (
	seq  INTEGER PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;
-- The ids of sealed batches within the window of remembered ids: a row for each
-- segment, under its last entry.
CREATE TABLE seen (
	seq    INTEGER PRIMARY KEY,
	events INTEGER NOT NULL,
	data   BLOB NOT NULL
) STRICT;
CREATE TABLE segment (
	id         INTEGER PRIMARY KEY,
	key        TEXT NOT NULL UNIQUE,
	state      TEXT NOT NULL,
	first_seq  INTEGER NOT NULL,
	last_seq   INTEGER NOT NULL,
	accepted   INTEGER NOT NULL DEFAULT 0,
	first      INTEGER NOT NULL DEFAULT 0,
	last       INTEGER NOT NULL DEFAULT 0,
	size       INTEGER NOT NULL DEFAULT 0,
	rows       INTEGER NOT NULL DEFAULT 0,
	sums       BLOB NOT NULL DEFAULT x'',
	sum        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE source (
	name          TEXT PRIMARY KEY,
	position      BLOB,
	sum           INTEGER NOT NULL DEFAULT 0,
	events        INTEGER NOT NULL DEFAULT 0,
	duplicates    INTEGER NOT NULL DEFAULT 0,
	last_event    INTEGER NOT NULL DEFAULT 0,
	last_accepted INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
	n      INTEGER PRIMARY KEY AUTOINCREMENT,
	source TEXT NOT NULL,
	file   TEXT NOT NULL,
	line   INTEGER NOT NULL,
	offset INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	reason TEXT NOT NULL,
	code   TEXT NOT NULL,
	size   INTEGER NOT NULL,
	hash   INTEGER NOT NULL
) STRICT;
CREATE TABLE quarantine_count (
	source TEXT NOT NULL,
	code   TEXT NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (source, code)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
	name TEXT PRIMARY KEY,
	n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
	id       TEXT PRIMARY KEY,
	revision INTEGER NOT NULL,
	state    TEXT NOT NULL,
	severity INTEGER NOT NULL,
	harm     REAL NOT NULL,
	detected INTEGER NOT NULL,
	updated  INTEGER NOT NULL,
	data     BLOB NOT NULL,
	sum      INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_queue ON finding (harm DESC, severity DESC, detected DESC, id);

CREATE TABLE outbox (
	n        INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL,
	notifier TEXT NOT NULL,
	thread   TEXT NOT NULL,
	finding  TEXT NOT NULL,
	kind     TEXT NOT NULL,
	revision INTEGER NOT NULL,
	priority INTEGER NOT NULL,
	payload  BLOB NOT NULL,
	sum      INTEGER NOT NULL,
	created  INTEGER NOT NULL,
	due      INTEGER NOT NULL,
	attempts INTEGER NOT NULL DEFAULT 0,
	error    TEXT NOT NULL DEFAULT '',
	dead     INTEGER NOT NULL DEFAULT 0,
	UNIQUE (notifier, thread)
) STRICT;
CREATE INDEX outbox_due ON outbox (due) WHERE dead = 0;
CREATE TABLE receipt (
	notifier TEXT NOT NULL,
	thread   TEXT NOT NULL,
	revision INTEGER NOT NULL,
	receipt  TEXT NOT NULL,
	sent     INTEGER NOT NULL,
	PRIMARY KEY (notifier, thread)
) STRICT, WITHOUT ROWID;

-- start counts minutes since 1970.
CREATE TABLE series_key (
	id         INTEGER PRIMARY KEY,
	source     TEXT NOT NULL,
	store      TEXT NOT NULL,
	action     TEXT NOT NULL,
	actor_kind TEXT NOT NULL,
	role       TEXT NOT NULL,
	tenant     TEXT NOT NULL,
	UNIQUE (source, store, action, actor_kind, role, tenant)
) STRICT;
CREATE TABLE rollup (
	start    INTEGER NOT NULL,
	key      INTEGER NOT NULL,
	events   INTEGER NOT NULL,
	rows     INTEGER NOT NULL,
	bytes    INTEGER NOT NULL,
	subjects INTEGER NOT NULL,
	denied   INTEGER NOT NULL,
	PRIMARY KEY (start, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE dirty (
	start   INTEGER PRIMARY KEY,
	version INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshot (
	seq      INTEGER PRIMARY KEY,
	time     INTEGER NOT NULL,
	manifest BLOB NOT NULL
) STRICT;
CREATE TABLE snapshot_part (
	name TEXT NOT NULL,
	seq  INTEGER NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (name, seq)
) STRICT;

CREATE TABLE audit (
	n      INTEGER PRIMARY KEY,
	time   INTEGER NOT NULL,
	who    TEXT NOT NULL,
	what   TEXT NOT NULL,
	object TEXT NOT NULL,
	hash   BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
`, `
-- Counts of findings by the minute, beside rollup's of accesses.
CREATE TABLE finding_rollup (
	start      INTEGER NOT NULL,
	severity   TEXT NOT NULL,
	lane       TEXT NOT NULL,
	about      TEXT NOT NULL,
	actor_kind TEXT NOT NULL,
	opened     INTEGER NOT NULL,
	closed     INTEGER NOT NULL,
	PRIMARY KEY (start, severity, lane, about, actor_kind)
) STRICT, WITHOUT ROWID;
`, `
-- likely is how likely a breach a finding is, unset while that is not asked: the
-- queue is ordered by harm times it.
ALTER TABLE finding ADD COLUMN likely REAL;
DROP INDEX finding_queue;
CREATE INDEX finding_queue ON finding (harm * coalesce(likely, 1) DESC, severity DESC, detected DESC, id);
CREATE INDEX finding_unrated ON finding (id) WHERE likely IS NULL;
-- What people said, as of the newest accepted entry: the log has it all.
CREATE TABLE verdict (
	finding TEXT PRIMARY KEY,
	data    BLOB NOT NULL,
	sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE exception (
	id   TEXT PRIMARY KEY,
	data BLOB NOT NULL,
	sum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`, `
-- Which rules judged from when on: the newest of the log's records of that, which
-- outlive the part of the log that they stand in.
CREATE TABLE rules (
	seq  INTEGER PRIMARY KEY,
	data BLOB NOT NULL,
	sum  INTEGER NOT NULL
) STRICT;
`, `
-- What people work on. topic is what a case is about; note is what the pipeline of
-- messages remembers of it.
CREATE TABLE casefile (
	id       TEXT PRIMARY KEY,
	revision INTEGER NOT NULL,
	topic    TEXT NOT NULL,
	state    TEXT NOT NULL,
	severity INTEGER NOT NULL,
	harm     REAL NOT NULL,
	open     INTEGER NOT NULL,
	start    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	opened   INTEGER NOT NULL,
	updated  INTEGER NOT NULL,
	data     BLOB NOT NULL,
	sum      INTEGER NOT NULL,
	note     BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX casefile_topic ON casefile (topic, last DESC);
CREATE INDEX casefile_queue ON casefile (state, harm DESC, severity DESC, opened DESC, id);
CREATE TABLE case_finding (
	finding  TEXT PRIMARY KEY,
	casefile TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX case_finding_case ON case_finding (casefile);
CREATE TABLE case_event (
	n        INTEGER PRIMARY KEY AUTOINCREMENT,
	casefile TEXT NOT NULL,
	time     INTEGER NOT NULL,
	who      TEXT NOT NULL,
	kind     TEXT NOT NULL,
	text     TEXT NOT NULL
) STRICT;
CREATE INDEX case_event_case ON case_event (casefile, n);
CREATE TABLE silence (
	id   TEXT PRIMARY KEY,
	data BLOB NOT NULL,
	sum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Deeds that were done, so that one that is asked for twice is done once.
CREATE TABLE deed (
	id   TEXT PRIMARY KEY,
	time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Small states of what runs, by name.
CREATE TABLE kept (
	name TEXT PRIMARY KEY,
	data BLOB NOT NULL,
	sum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- parent is the thread whose receipt goes along; begun says that an attempt was begun
-- of which the end is not known.
ALTER TABLE outbox ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (notifier, priority DESC, created, n) WHERE dead = 0;
CREATE INDEX outbox_next ON outbox (due) WHERE dead = 0;
`, `
-- Audit reports that were made and are kept as files: none is ever replaced. hash is
-- SHA-256 of the signed manifest.
CREATE TABLE report (
	id       TEXT PRIMARY KEY,
	first    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	made     INTEGER NOT NULL,
	hash     TEXT NOT NULL,
	data     BLOB NOT NULL,
	sum      INTEGER NOT NULL,
	UNIQUE (first, last, revision)
) STRICT, WITHOUT ROWID;
`, `
-- Notifications to the authority: every revision of each, as long as its case is kept.
CREATE TABLE notice (
	casefile TEXT NOT NULL,
	revision INTEGER NOT NULL,
	data     BLOB NOT NULL,
	sum      INTEGER NOT NULL,
	PRIMARY KEY (casefile, revision)
) STRICT, WITHOUT ROWID;
`, `
-- Which alert budget held from when on: the newest of the log's records of that, which
-- outlive the part of the log that they stand in.
CREATE TABLE budget (
	seq  INTEGER PRIMARY KEY,
	data BLOB NOT NULL,
	sum  INTEGER NOT NULL
) STRICT;
`, `
-- What the queue of cases is ordered and narrowed by. expected is the lead's harm times how
-- likely a breach it is; places are the stores and sources, each between line feeds; news is
-- when something came that people have not done themselves.
ALTER TABLE casefile ADD COLUMN lead TEXT NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN places TEXT NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN expected REAL NOT NULL DEFAULT 0;
ALTER TABLE casefile ADD COLUMN news INTEGER NOT NULL DEFAULT 0;
UPDATE casefile SET
	lead = coalesce(json_extract(CAST(data AS TEXT), '$.lead'), ''),
	owner = coalesce(json_extract(CAST(data AS TEXT), '$.owner'), ''),
	about = coalesce(json_extract(CAST(data AS TEXT), '$.about'), '')
	WHERE json_valid(CAST(data AS TEXT));
UPDATE casefile SET news = opened,
	expected = harm * coalesce((SELECT likely FROM finding WHERE finding.id = casefile.lead), 1),
	places = coalesce((SELECT char(10) || group_concat(j.value, char(10)) || char(10) FROM finding f, json_each(CAST(f.data AS TEXT), '$.stores') j
		WHERE f.id = casefile.lead AND json_valid(CAST(f.data AS TEXT))), '');
CREATE INDEX casefile_lead ON casefile (lead);
CREATE INDEX casefile_news ON casefile (news, id);
-- The whole list is read from it, without the cases themselves.
CREATE INDEX casefile_list ON casefile (expected DESC, severity DESC, opened DESC, id, state, owner, about, places, news);
-- How many cases there are of a kind, so that nobody has to count.
CREATE TABLE case_tally (
	state    TEXT NOT NULL,
	severity INTEGER NOT NULL,
	n        INTEGER NOT NULL,
	PRIMARY KEY (state, severity)
) STRICT, WITHOUT ROWID;
INSERT INTO case_tally SELECT state, severity, count(*) FROM casefile GROUP BY state, severity;
CREATE TRIGGER casefile_came AFTER INSERT ON casefile BEGIN
	INSERT INTO case_tally VALUES (NEW.state, NEW.severity, 1) ON CONFLICT (state, severity) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER casefile_turned AFTER UPDATE OF state, severity ON casefile WHEN OLD.state <> NEW.state OR OLD.severity <> NEW.severity BEGIN
	UPDATE case_tally SET n = n - 1 WHERE state = OLD.state AND severity = OLD.severity;
	INSERT INTO case_tally VALUES (NEW.state, NEW.severity, 1) ON CONFLICT (state, severity) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER casefile_went AFTER DELETE ON casefile BEGIN
	UPDATE case_tally SET n = n - 1 WHERE state = OLD.state AND severity = OLD.severity;
END;
-- Up to when somebody has seen what is new: of a case, or of all cases where it is empty.
CREATE TABLE case_seen (
	who      TEXT NOT NULL,
	casefile TEXT NOT NULL,
	seen     INTEGER NOT NULL,
	PRIMARY KEY (who, casefile)
) STRICT, WITHOUT ROWID;
`, `
-- What findings are related by. Those that are there already are found by whom they are
-- about; networks and query shapes come with their next revision.
CREATE TABLE finding_link (
	kind     TEXT NOT NULL,
	name     TEXT NOT NULL,
	detected INTEGER NOT NULL,
	finding  TEXT NOT NULL,
	PRIMARY KEY (kind, name, detected, finding)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_link_finding ON finding_link (finding);
CREATE TRIGGER finding_went AFTER DELETE ON finding BEGIN
	DELETE FROM finding_link WHERE finding = OLD.id;
END;
INSERT OR IGNORE INTO finding_link (kind, name, detected, finding)
	SELECT k.kind, json_extract(f.text, '$.' || k.kind), f.detected, f.id
	FROM (SELECT id, detected, CASE WHEN json_valid(CAST(data AS TEXT)) THEN CAST(data AS TEXT) ELSE '{}' END AS text FROM finding) f,
		(SELECT 'actor' AS kind UNION ALL SELECT 'subject' UNION ALL SELECT 'network') k
	WHERE coalesce(json_extract(f.text, '$.' || k.kind), '') <> '';
INSERT OR IGNORE INTO finding_link (kind, name, detected, finding)
	SELECT 'actor', j.value, f.detected, f.id
	FROM finding f, json_each(CASE WHEN json_valid(CAST(f.data AS TEXT)) THEN CAST(f.data AS TEXT) ELSE '{}' END, '$.actors') j
	WHERE j.type = 'text';
`, `
-- Who asked for the name behind a pseudonym of a case, and who let them; never a name.
CREATE TABLE reveal (
	id       TEXT PRIMARY KEY,
	casefile TEXT NOT NULL,
	revision INTEGER NOT NULL,
	asked    INTEGER NOT NULL,
	data     BLOB NOT NULL,
	sum      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reveal_case ON reveal (casefile, asked);
CREATE INDEX reveal_asked ON reveal (asked);
`, `
-- Accounts, sessions, tokens and invitations. key is a pseudonym, or a hash of the
-- secret that opens it; ends is 0 for what has no end.
CREATE TABLE credential (
	kind    TEXT NOT NULL,
	key     TEXT NOT NULL,
	owner   TEXT NOT NULL,
	ends    INTEGER NOT NULL,
	data    BLOB NOT NULL,
	version INTEGER NOT NULL,
	sum     INTEGER NOT NULL,
	UNIQUE (kind, key)
) STRICT;
CREATE INDEX credential_owner ON credential (owner, kind);
CREATE INDEX credential_ends ON credential (ends) WHERE ends > 0;
`, `
-- What came of writes that named themselves, so that one that comes again is answered
-- alike.
CREATE TABLE done_once (
	key      TEXT PRIMARY KEY,
	time     INTEGER NOT NULL,
	print    TEXT NOT NULL,
	revision INTEGER NOT NULL,
	answer   BLOB NOT NULL,
	sum      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX done_once_time ON done_once (time);
`, `
-- The open findings about sources are few among many, and every look at the sources asks for
-- them; how many findings there are is counted without reading any.
CREATE INDEX finding_open_source ON finding (id)
	WHERE state = 'open' AND CASE WHEN json_valid(CAST(data AS TEXT)) THEN json_extract(CAST(data AS TEXT), '$.about') END = 'source';
CREATE INDEX finding_count ON finding (severity, state, detected);
`, `
-- How cases were worked on, minute by minute.
CREATE TABLE case_rollup (
	start        INTEGER NOT NULL,
	severity     TEXT NOT NULL,
	about        TEXT NOT NULL,
	opened       INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL,
	resolved     INTEGER NOT NULL,
	waited       INTEGER NOT NULL,
	PRIMARY KEY (start, severity, about)
) STRICT, WITHOUT ROWID;
-- What the program says of itself, until it is written to the outside. n is never used
-- again, so that what is replaced meanwhile is not taken for what was written.
CREATE TABLE reading (
	n      INTEGER PRIMARY KEY AUTOINCREMENT,
	start  INTEGER NOT NULL,
	source TEXT NOT NULL,
	data   BLOB NOT NULL,
	UNIQUE (start, source)
) STRICT;
`, `
-- What is new among cases of a kind is counted without reading any.
DROP INDEX casefile_news;
CREATE INDEX casefile_news ON casefile (news, id, state, severity, opened, owner, about, places);
-- Cases of before don't tell their stores and sources themselves: all their findings do.
UPDATE casefile SET places = coalesce((SELECT char(10) || group_concat(name, char(10)) || char(10) FROM (
	SELECT DISTINCT replace(j.value, char(10), ' ') AS name FROM case_finding c JOIN finding f ON f.id = c.finding,
		json_tree(CASE WHEN json_valid(CAST(f.data AS TEXT)) THEN CAST(f.data AS TEXT) ELSE '{}' END) j
		WHERE c.casefile = casefile.id AND (j.path IN ('$.stores', '$.sources') OR j.fullkey = '$.source') AND j.type = 'text' AND j.value <> '')), places)
	WHERE json_valid(CAST(data AS TEXT)) AND json_extract(CAST(data AS TEXT), '$.stores') IS NULL AND json_extract(CAST(data AS TEXT), '$.sources') IS NULL;
`, `
-- What people said, counted by what found it, by the model that told most and by the month
-- of its detection, so that nobody has to read it all. word, lane, model and month are of
-- the finding as it was judged.
ALTER TABLE verdict ADD COLUMN word TEXT NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN lane TEXT NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN month TEXT NOT NULL DEFAULT '';
UPDATE verdict SET word = coalesce(json_extract(CAST(data AS TEXT), '$.word'), '') WHERE json_valid(CAST(data AS TEXT));
UPDATE verdict SET (lane, model, month) = (
	SELECT coalesce(json_extract(f.text, '$.lane'), ''), coalesce(json_extract(f.text, '$.contributions[0].model'), ''), strftime('%Y-%m', f.detected / 1000000000, 'unixepoch')
	FROM (SELECT detected, CASE WHEN json_valid(CAST(data AS TEXT)) THEN CAST(data AS TEXT) ELSE '{}' END AS text FROM finding WHERE id = verdict.finding) f
) WHERE finding IN (SELECT id FROM finding);
CREATE TABLE word_tally (
	sort TEXT NOT NULL,
	name TEXT NOT NULL,
	word TEXT NOT NULL,
	n    INTEGER NOT NULL,
	PRIMARY KEY (sort, name, word)
) STRICT, WITHOUT ROWID;
INSERT INTO word_tally
	SELECT 'lane', lane, word, count(*) FROM verdict GROUP BY lane, word
	UNION ALL SELECT 'model', model, word, count(*) FROM verdict GROUP BY model, word
	UNION ALL SELECT 'month', month, word, count(*) FROM verdict GROUP BY month, word;
CREATE TRIGGER verdict_came AFTER INSERT ON verdict BEGIN
	INSERT INTO word_tally VALUES ('lane', NEW.lane, NEW.word, 1), ('model', NEW.model, NEW.word, 1), ('month', NEW.month, NEW.word, 1)
		ON CONFLICT (sort, name, word) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER verdict_turned AFTER UPDATE ON verdict BEGIN
	UPDATE word_tally SET n = n - 1 WHERE word = OLD.word AND (sort, name) IN (VALUES ('lane', OLD.lane), ('model', OLD.model), ('month', OLD.month));
	INSERT INTO word_tally VALUES ('lane', NEW.lane, NEW.word, 1), ('model', NEW.model, NEW.word, 1), ('month', NEW.month, NEW.word, 1)
		ON CONFLICT (sort, name, word) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER verdict_went AFTER DELETE ON verdict BEGIN
	UPDATE word_tally SET n = n - 1 WHERE word = OLD.word AND (sort, name) IN (VALUES ('lane', OLD.lane), ('model', OLD.model), ('month', OLD.month));
END;
`, `
-- The texts of rules that judged, or are proposed to: by them an older setting can be compared
-- and brought back. digest is SHA-256 of the text, used when it was last named.
CREATE TABLE rule_text (
	digest TEXT PRIMARY KEY,
	used   INTEGER NOT NULL,
	data   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_text_used ON rule_text (used, digest);
`}
}

// migrate brings the database to the newest form.
func migrate(ctx context.Context, db *sql.DB) error {
	var have int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	steps := migrations()
	if have > len(steps) {
		return fmt.Errorf("ledger has schema %d, this vigil knows up to %d: a newer vigil wrote it", have, len(steps))
	}
	for i := have; i < len(steps); i++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin schema step %d: %w", i+1, err)
		}
		_, err = tx.ExecContext(ctx, steps[i])
		if err == nil {
			_, err = tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, i+1))
		}
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			_ = tx.Rollback() // the first error is the one to tell
			return fmt.Errorf("schema step %d: %w", i+1, err)
		}
	}
	return nil
}
