package push

import "time"

// Poll sets how often Splunk is asked whether an event is indexed.
func (n *Notifier) Poll(d time.Duration) { n.poll = d }
