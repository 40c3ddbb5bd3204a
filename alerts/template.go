package alerts

// Words are a user's own words for a card.
type Words struct {
	Title, Sentence, Footer string
	Fields                  []Field
	// Has says which of the above are set: "title", "sentence", "fields", "footer".
	Has map[string]bool
}

type Templates struct{}

func (t *Templates) Words(channel string, m Message) *Words { return nil }
