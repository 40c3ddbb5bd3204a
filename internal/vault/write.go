package vault

import (
	"context"
	"fmt"
	"time"
)

// run writes what is new until ctx ends.
func (v *Vault) run(ctx context.Context) {
	defer close(v.done)
	tick := time.NewTicker(v.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			v.note(v.flush(ctx))
		}
	}
}

// note logs a failure when it changes: it comes again every second.
func (v *Vault) note(err error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != v.fault {
		v.log.Warn("names can't be kept in the vault; it is tried again", "error", text)
	}
	v.fault = text
}

// flush writes what waits.
func (v *Vault) flush(ctx context.Context) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if today := v.today(); today != v.day {
		// Everybody is seen anew each day, or it could not be told who is past retention.
		v.day = today
		v.seen.clear()
	}
	v.queueMu.Lock()
	waiting := v.queue
	v.queue = nil
	v.queueMu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	if err := v.write(ctx, waiting); err != nil {
		v.takeBack(waiting)
		return fmt.Errorf("write the vault: %w", err)
	}
	return nil
}

// takeBack lets what could not be written wait again, as far as there is room.
func (v *Vault) takeBack(waiting []entry) {
	v.queueMu.Lock()
	defer v.queueMu.Unlock()
	room := min(len(waiting), maxQueue-len(v.queue))
	v.queue = append(v.queue, waiting[:room]...)
	for _, e := range waiting[room:] {
		v.dropped.Add(1)
		v.seen.forget(e.pseudonym)
	}
}

// write needs writing.
func (v *Vault) write(ctx context.Context, entries []entry) error {
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	known, err := tx.PrepareContext(ctx, `UPDATE name SET day = max(day, ?) WHERE pseudonym = ? AND key = ?`)
	if err != nil {
		return err
	}
	defer known.Close()
	fresh, err := tx.PrepareContext(ctx, `INSERT INTO name (pseudonym, key, sealed, day) VALUES (?, ?, ?, ?)
		ON CONFLICT (pseudonym) DO UPDATE SET key = excluded.key, sealed = excluded.sealed, day = max(day, excluded.day)`)
	if err != nil {
		return err
	}
	defer fresh.Close()
	for _, e := range entries {
		res, err := known.ExecContext(ctx, v.day, e.pseudonym, v.keyID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := fresh.ExecContext(ctx, e.pseudonym, v.keyID, v.sealed(e), v.day); err != nil {
			return err
		}
	}
	return tx.Commit()
}
