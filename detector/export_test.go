package detector

// Learned returns the key of the group of each actor that is held in full and whose
// group was learnt, by the actor's id.
func (e *Engine) Learned() map[string]string {
	out := map[string]string{}
	for _, sh := range e.shards {
		for _, a := range sh.actors {
			if learnedID(a.Group) != 0 && a.home != nil {
				out[a.ID] = a.Group
			}
		}
	}
	return out
}
