package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
)

// maxRuleTexts bounds the texts of rules that are kept: those that were not named the longest
// are let go of.
const maxRuleTexts = 5_000

// KeepRuleTexts keeps the texts of rules, each under its digest.
func (l *Ledger) KeepRuleTexts(ctx context.Context, texts []string) error {
	now := l.now().UnixNano()
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, text := range texts {
			if _, err := tx.ExecContext(ctx, `INSERT INTO rule_text (digest, used, data) VALUES (?, ?, ?)
				ON CONFLICT (digest) DO UPDATE SET used = excluded.used, data = excluded.data`, digestOf(text), now, []byte(text)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM rule_text WHERE digest IN (SELECT digest FROM rule_text ORDER BY used DESC, digest LIMIT -1 OFFSET ?)`, maxRuleTexts)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep texts of rules: %w", err)
	}
	return nil
}

// RuleTexts returns those of the texts that are kept, by their digests. A damaged one is
// left out and logged.
func (l *Ledger) RuleTexts(ctx context.Context, digests []string) (map[string]string, error) {
	out := make(map[string]string, len(digests))
	if len(digests) == 0 {
		return out, nil
	}
	args := make([]any, len(digests))
	for i := range digests {
		args[i] = digests[i]
	}
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT digest, data FROM rule_text WHERE digest IN (`+marks(len(args))+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var digest string
			var data []byte
			if err := rows.Scan(&digest, &data); err != nil {
				return err
			}
			if digestOf(string(data)) != digest {
				l.log.Error("the text of a rule is damaged and left out", "digest", digest)
				continue
			}
			out[digest] = string(data)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read texts of rules: %w", err)
	}
	return out, nil
}

// digestOf is SHA-256 of a text in hexadecimal digits, as in a vigil.RuleMark.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
