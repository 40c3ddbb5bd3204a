package ledger

import (
	"context"
	"fmt"
	"strconv"

	"vigil/internal/api"
)

// SnapshotSeqs lists after which entries there are snapshots, the newest first. Damaged
// ones are left out.
func (l *Ledger) SnapshotSeqs(ctx context.Context) (seqs []uint64, err error) {
	manifests, err := l.manifests(ctx)
	for _, m := range manifests {
		if m.err == nil {
			seqs = append(seqs, m.seq)
		}
	}
	return seqs, err
}

// SnapshotAt returns the snapshot after an entry. The error wraps api.ErrNotFound when
// there is none, or no more, and is a *CorruptError when it is damaged; unlike LoadSnapshot
// it forgets nothing.
func (l *Ledger) SnapshotAt(ctx context.Context, seq uint64) (Snapshot, error) {
	l.saving.Lock() // or a part could be replaced meanwhile
	defer l.saving.Unlock()
	manifests, err := l.manifests(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	for _, m := range manifests {
		switch {
		case m.seq != seq:
			continue
		case m.err != nil:
			return Snapshot{}, m.err
		}
		return l.loadParts(ctx, m)
	}
	return Snapshot{}, fmt.Errorf("snapshot at entry %s: %w", strconv.FormatUint(seq, 10), api.ErrNotFound)
}
