package pack

// HashOf computes the hash of a record.
func HashOf(r *AuditRecord, previous []byte) []byte { return r.hash(previous) }
