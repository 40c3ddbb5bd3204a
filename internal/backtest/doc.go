// Package backtest judges recorded history again and holds what comes of it against what
// was live. Judging is detector.Engine.Fold over the same log: with the setting that was
// live it finds the same, so that what differs comes from the setting alone.
//
// It reads the log through a small interface and writes nothing. One Run is on the caller's
// goroutine, with as many workers as it is told (the result does not depend on them), and
// stops when its context ends. Memory is that of one engine, and of at most maxKept
// findings.
//
// What people said of findings is in the log. A verdict names the live finding; where
// another setting tells the same story under another name, the verdict is led to that.
// Of a breach that the setting does not find at all nothing would be taken out of the
// baselines: then history is judged once more with those accesses teaching nothing.
// So nothing under a verdict of breach trains here either.
package backtest
