// Package vigil is the vocabulary: the access event, the actor, the finding,
// and the entries of the log that the detector folds over.
//
// Every other package speaks in these types. The package imports the standard
// library only and does no I/O, so collectors, detector, models, alerts and
// dashboards can share it without knowing each other.
//
// Values are immutable once handed over: a collector fills an [Event], gives it
// to a sink, and never touches it again.
package vigil
