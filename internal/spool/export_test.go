package spool

import "testing"

// Damage flips a bit of a frame on disk.
func Damage(t testing.TB, s *Spool, source string, sequence int) {
	t.Helper()
	var body []byte
	if err := s.db.QueryRow(`SELECT body FROM frame WHERE source = ? AND sequence = ?`, source, sequence).Scan(&body); err != nil {
		t.Fatal(err)
	}
	body[len(body)/2] ^= 1
	if _, err := s.db.Exec(`UPDATE frame SET body = ? WHERE source = ? AND sequence = ?`, body, source, sequence); err != nil {
		t.Fatal(err)
	}
}
