// Package drill stages breaches in traffic and tells whether the detector finds
// them: how soon, after how many customers, and at how many false findings. It is
// the fire drill of whoever relies on vigil.
//
// A Scenario is one row of the threat catalogue: a breach, and beside it the trap,
// which is the innocent happening that a naive detector would take for it. Both
// are staged in a scene, which is what a first reading of the traffic tells of its
// actors: their kind and role, from where, when, on what and how much they work.
// The traffic may be made (internal/traffic) or the user's own; the way is the
// same. A second reading merges the staged events into the traffic by time and
// hands all of it to the detector, which knows nothing of what is staged.
//
// Staged events are made of the culprit's own: they are copies of accesses that
// it, or a colleague, made, with other customers, at another time. Numbers follow
// what a thief would do, scaled by the intensity: one is plain, a quarter takes a
// quarter. Each scenario draws from a random stream of its own, so that a seed
// stages the same whichever other scenarios are run with it, save that two
// scenarios of one world never use the same actor.
//
// Memory is bounded: a scene by maxPeople, maxForms and maxKnown, a world by what
// is staged in it. What is beyond those bounds is not used for staging; it is
// judged all the same. Nothing here is safe for concurrent use. A run ends early,
// with the context's error, when it is cancelled.
package drill
