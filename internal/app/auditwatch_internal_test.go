package app

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to do to a ledger what only an intruder does

	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// safe is a ledger with an audit log and its checkpoints outside.
type safe struct {
	t      *testing.T
	app    *App
	cfg    *config.Config
	db     *sql.DB
	clock  time.Time
	backup []ledger.AuditRecord
}

func newSafe(t *testing.T) *safe {
	t.Helper()
	v := &safe{t: t, clock: officeStart}
	v.cfg = &config.Config{DataDir: t.TempDir(), AuditCheckpoints: config.AuditCheckpoints{File: filepath.Join(t.TempDir(), "checkpoints")}}
	now := func() time.Time { return v.clock }
	l, err := ledger.Open(t.Context(), ledgerConfig(v.cfg), ledger.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	v.app = &App{ledger: l, logger: slog.New(slog.DiscardHandler), opts: Options{Now: now}}
	v.app.cfg.Store(v.cfg)
	if v.db, err = sql.Open("sqlite", "file:"+filepath.Join(v.cfg.DataDir, "ledger.db")+"?_pragma=busy_timeout(10000)&_pragma=synchronous(0)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.db.Close(); _ = l.Close() })
	return v
}

func (v *safe) grow(n int) {
	v.t.Helper()
	for range n {
		v.clock = v.clock.Add(time.Second)
		if _, err := v.app.ledger.Audit(v.t.Context(), ledger.AuditRecord{Time: v.clock, Who: "actor-ann", What: "case read", Object: "case c-1"}); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := v.app.keepCheckpoint(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
}

func (v *safe) exec(tx *sql.Tx, query string, args ...any) {
	v.t.Helper()
	if _, err := tx.ExecContext(v.t.Context(), query, args...); err != nil {
		v.t.Fatal(err)
	}
}

func (v *safe) change(fn func(tx *sql.Tx)) {
	v.t.Helper()
	tx, err := v.db.BeginTx(v.t.Context(), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	fn(tx)
	if err := tx.Commit(); err != nil {
		v.t.Fatal(err)
	}
}

// put writes records in the place of all that are there.
func (v *safe) put(records []ledger.AuditRecord) {
	v.change(func(tx *sql.Tx) {
		for _, guard := range v.guards() { // who can write to the file can do this too
			v.exec(tx, `DROP TRIGGER `+guard)
		}
		v.exec(tx, `DELETE FROM audit`)
		for _, r := range records {
			v.exec(tx, `INSERT INTO audit (n, time, who, what, object, hash) VALUES (?, ?, ?, ?, ?, ?)`, int64(r.N), r.Time.UnixNano(), r.Who, r.What, r.Object, r.Hash)
		}
	})
}

// guards are the triggers that keep the audit log from being changed through SQL.
func (v *safe) guards() (names []string) {
	v.t.Helper()
	rows, err := v.db.QueryContext(v.t.Context(), `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'`)
	if err != nil {
		v.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			v.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		v.t.Fatal(err)
	}
	return names
}

func (v *safe) problems() []string {
	v.t.Helper()
	out, err := VerifyAudit(v.t.Context(), v.cfg, "", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return out.Problems
}

// Whatever an intruder does to the audit log is found, with the checkpoints outside also a
// log that is whole and yet not the one that was.
func TestEveryTamperingWithTheAuditLogIsFound(t *testing.T) {
	t.Parallel()
	v := newSafe(t)
	for range 6 {
		v.grow(10)
	}
	var err error
	if v.backup, err = v.app.ledger.AuditLog(t.Context(), 0, 1_000); err != nil {
		t.Fatal(err)
	}
	if p := v.problems(); len(p) > 0 {
		t.Fatalf("nothing was done to it: %q", p)
	}
	n := len(v.backup)
	random := rand.New(rand.NewPCG(7, 7))
	clone := func() []ledger.AuditRecord {
		out := make([]ledger.AuditRecord, n)
		copy(out, v.backup)
		for i := range out {
			out[i].Hash = bytes.Clone(out[i].Hash)
		}
		return out
	}
	kinds := map[string]func() []ledger.AuditRecord{
		"edited": func() []ledger.AuditRecord {
			r := clone()
			x := &r[random.IntN(n)]
			switch random.IntN(5) {
			case 0:
				x.Who = "actor-bob"
			case 1:
				x.What += "."
			case 2:
				x.Object = x.Object[1:]
			case 3:
				x.Time = x.Time.Add(time.Nanosecond)
			case 4:
				x.Hash[random.IntN(32)] ^= 1 << random.IntN(8)
			}
			return r
		},
		"deleted": func() []ledger.AuditRecord {
			i := random.IntN(n - 1)
			return append(clone()[:i], clone()[i+1:]...)
		},
		"swapped": func() []ledger.AuditRecord {
			r := clone()
			i := random.IntN(n - 1)
			r[i].Object, r[i+1].Object = "case c-2", r[i].Object
			return r
		},
		"cut off":           func() []ledger.AuditRecord { return clone()[:random.IntN(n)] },
		"rolled back":       func() []ledger.AuditRecord { return clone()[:n-1-random.IntN(n/2)] },
		"forked":            func() []ledger.AuditRecord { r := clone(); r[random.IntN(n)].Who = "actor-bob"; return rechain(r) },
		"written anew":      func() []ledger.AuditRecord { r := clone(); r[0].What = "nothing"; return rechain(r) },
		"cut off and grown": func() []ledger.AuditRecord { r := clone(); r[n-5].What = "other"; return rechain(r) },
	}
	done := 0
	for name, make := range kinds {
		for range 125 {
			v.put(make())
			if p := v.problems(); len(p) == 0 {
				t.Fatalf("%s: nothing was found", name)
			}
			done++
		}
	}
	v.put(v.backup)
	if p := v.problems(); done != 1_000 || len(p) > 0 {
		t.Errorf("%d tried; put right again it has %q", done, p)
	}
}

// The service itself sees that its log is not the one of the checkpoint, or does not hold.
func TestAuditWatch(t *testing.T) {
	t.Parallel()
	v := newSafe(t)
	v.grow(20)
	a := v.app
	r := &auditLog{reader: newReader(a)}
	verified := func() api.AuditStanding {
		t.Helper()
		if err := a.verifyAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, err := r.AuditStanding(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// The key of the checkpoints was made first: that is a record too.
	if s := verified(); s.Records != 21 || s.Verified != 21 || s.Broken != "" || s.Kept != 21 || s.Whole.IsZero() {
		t.Errorf("%+v", s)
	}
	before, err := os.ReadFile(v.cfg.AuditCheckpoints.File)
	if err != nil {
		t.Fatal(err)
	}
	v.grow(0)
	if after, err := os.ReadFile(v.cfg.AuditCheckpoints.File); err != nil || !bytes.Equal(before, after) {
		t.Error("a log that has not grown has another checkpoint")
	}
	v.grow(5)
	if s := verified(); s.Verified != 26 || s.Kept != 26 {
		t.Errorf("%+v", s)
	}
	page, err := r.Audit(t.Context(), api.AuditFilter{Kind: api.AuditLooks, Object: "c-1", Limit: 10})
	if err != nil || len(page.Records) != 10 || !page.More || page.Records[1].N != 26 {
		t.Errorf("%+v, %v", page, err)
	}
	if page, err = r.Audit(t.Context(), api.AuditFilter{Kind: api.AuditLooks, Limit: 1}); err != nil || page.Records[0].What != "audit log read" {
		t.Errorf("the look itself: %+v, %v", page, err)
	}
	if page, err = r.Audit(t.Context(), api.AuditFilter{Kind: api.AuditSettings}); err != nil || len(page.Records) != 1 || page.Records[0].What != "key of reports made" {
		t.Errorf("settings: %+v, %v", page.Records, err)
	}
	if page, err = r.Audit(t.Context(), api.AuditFilter{Kind: api.AuditDeeds}); err != nil || len(page.Records) != 0 {
		t.Errorf("deeds: %+v, %v", page.Records, err)
	}
	if page, err = r.Audit(t.Context(), api.AuditFilter{Limit: 1, Export: true}); err != nil || page.Records[0].What != "audit log exported" {
		t.Errorf("what was taken out is not told: %+v, %v", page, err)
	}
	all, err := a.ledger.AuditLog(t.Context(), 0, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	v.put(all[:22])
	if s := verified(); !strings.Contains(s.Broken, "record 26") {
		t.Errorf("cut off: %+v", s)
	}
	v.grow(1)
	if s := verified(); !strings.Contains(s.Fault, "cut off, put back or written anew") || len(a.audits.notes()) == 0 {
		t.Errorf("cut off: %+v", s)
	}
	v.cfg.AuditCheckpoints.File = filepath.Join(t.TempDir(), "none", "checkpoints")
	v.grow(1)
	if s := verified(); !strings.Contains(s.Fault, "write checkpoint") {
		t.Errorf("a place that is not there: %+v", s)
	}
}

// Each kind of record is found by how records of it begin or end.
func TestKindsOfRecords(t *testing.T) {
	t.Parallel()
	v := newSafe(t)
	r := &auditLog{reader: newReader(v.app)}
	for what, kinds := range map[string][]api.AuditKind{
		"name asked for": {api.AuditReveals}, "name approved": {api.AuditReveals}, "name refused": {api.AuditReveals}, "name ended": {api.AuditReveals},
		"name shown": {api.AuditReveals, api.AuditLooks}, "own request not approved": {api.AuditReveals}, "request for a name withdrawn": {api.AuditReveals},
		"request for a name read": {api.AuditReveals, api.AuditLooks}, "requests for names listed": {api.AuditReveals, api.AuditLooks},
		"looked up who read a customer": {api.AuditLooks}, "person looked up": {api.AuditLooks}, "case read": {api.AuditLooks},
		"asked who read a customer": {api.AuditDeeds}, "case acknowledged": {api.AuditDeeds}, "whose data exported as csv": {api.AuditDeeds}, "who read a customer exported as csv": {api.AuditDeeds},
		"signed in with a password": {api.AuditSignIns}, "budget proposed": {api.AuditSettings},
	} {
		if _, err := v.app.ledger.Audit(t.Context(), ledger.AuditRecord{Time: officeStart, Who: "actor-x", What: what, Object: "of " + what}); err != nil {
			t.Fatal(err)
		}
		for _, k := range api.AuditKinds() {
			page, err := r.Audit(t.Context(), api.AuditFilter{Kind: k, Object: "of " + what, Who: "actor-x"})
			if err != nil || (len(page.Records) == 1) != slices.Contains(kinds, k) {
				t.Errorf("%q is %d times among the %s, %v", what, len(page.Records), k, err)
			}
		}
	}
}

// rechain writes a chain anew: what one does who can write to the database and knows how
// hashes are made.
func rechain(records []ledger.AuditRecord) []ledger.AuditRecord {
	var previous []byte
	for i := range records {
		r := &records[i]
		h := sha256.New()
		b := binary.BigEndian.AppendUint64(bytes.Clone(previous), r.N)
		b = binary.BigEndian.AppendUint64(b, uint64(r.Time.UnixNano()))
		for _, s := range []string{r.Who, r.What, r.Object} {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
		}
		_, _ = h.Write(b) // a hash never fails
		r.Hash = h.Sum(nil)
		previous = r.Hash
	}
	return records
}
