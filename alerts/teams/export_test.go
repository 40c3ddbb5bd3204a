package teams

import "vigil/alerts"

// Rendered is a message's card.
func Rendered(m alerts.Message, console, news string) (body []byte, short bool, err error) {
	return render(alerts.CardOf(m, console), news)
}

// RenderCard makes a card's message.
func RenderCard(c alerts.Card) (body []byte, short bool, err error) { return render(c, "") }
