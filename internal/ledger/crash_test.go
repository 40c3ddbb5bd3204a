package ledger_test
func crashChild() bool { return false }
