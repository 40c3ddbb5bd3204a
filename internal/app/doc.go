// Package app puts vigil together: it is the one place that sees every part.
// Commands and tests call it; nothing else does.
//
// [App] is the running service: sources are read by supervised collectors, each
// event passes normalising and privacy and is accepted by the ledger, and one
// applier folds the ledger's entries through the detector, in order, and writes
// down how far it got together with what came of it. Findings leave through the
// ledger's outbox. [Scan], [Score] and [Parse] are the same path over files,
// without the ledger.
//
// An App is started once and stopped once; its methods are safe for concurrent
// use. Everything between source and ledger is bounded and waits when the ledger
// is behind; a full disk refuses new input and recovers by itself. Stopping ends
// intake first, then judges what is accepted, then writes a snapshot, each within
// a bounded time; what is left undone is done at the next start.
package app
