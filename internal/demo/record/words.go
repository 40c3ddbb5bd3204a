package main

import "math/rand/v2"

// The words that the help desk's texts are made of. All names are invented.
var (
	givenNames = []string{
		"alba", "amir", "anouk", "arne", "bela", "birte", "carlo", "chidi", "dana", "deniz", "edda", "elio", "farid", "femke", "goran",
		"hana", "ines", "ivo", "jana", "jonas", "kaito", "kira", "lena", "luca", "maja", "malik", "nadia", "nils", "olga", "omar", "paula",
		"pavel", "quinn", "rasa", "remo", "sanne", "selim", "tara", "timo", "ulla", "vera", "viktor", "wanda", "xenia", "yara", "zoran",
	}
	familyNames = []string{
		"abbot", "almeida", "bakker", "becker", "brandt", "castell", "conti", "dekker", "duarte", "ekberg", "farkas", "ferrer", "gallo", "haas",
		"hansen", "ibarra", "jansen", "kaya", "keller", "kovac", "laurent", "lind", "marino", "mbeki", "moreau", "nagy", "novak", "okafor", "olsen",
		"petrov", "quist", "ramos", "rossi", "sato", "schmid", "silva", "tanaka", "torres", "ueda", "varga", "weber", "yilmaz", "zeman",
	}
	channels   = []string{"web", "web", "web", "email", "app"}
	caseStates = []string{"new", "open", "waiting", "closed", "closed"}
	priorities = []string{"low", "normal", "normal", "high"}
	fileNames  = []string{"invoice.pdf", "screenshot.png", "passport-scan.jpg", "contract.pdf", "router.jpg"}
	subjects   = []string{
		"Refund not received", "Router offline", "Invoice wrong", "Contract change", "Cannot sign in", "Parcel lost", "Double charge",
		"Cancel subscription", "Change of address", "Warranty", "SIM not active", "Data request",
	}
	customerSays = []string{
		"Hello, my order has not arrived yet.", "I was charged twice this month.", "The app shows an error when I sign in.",
		"Can you change my address please?", "Thanks, that worked!", "It is still not working.", "Where do I find my invoice?",
		"I'd like to cancel my contract.", "Is there a fee for that?", "Any news on my refund?", "My router's light is red.",
		"Hello,\n\nI wrote last week and have had no answer.\nCould somebody look at it?", "ok", "Yes please", "No, the other one",
	}
	agentSays = []string{
		"Thank you for waiting, I'm looking into it now.", "Your refund has been issued.", "Could you restart the router, please?",
		"I have changed your address.", "We have sent the invoice again.", "I've passed this on to a colleague.",
		"Is there anything else that I can do for you?", "Please allow two to three working days.", "The parcel left our warehouse today.",
		"Hi,\n\nthe charge was reversed today.\nIt may take your bank some days to show it.",
	}
	botSays = []string{
		"Hi! How can I help?", "Let me check that for you.", "I found your order.", "I'll connect you to a colleague.",
		"Here is how to reset your password.", "Did this answer your question?", "Your delivery is planned for tomorrow.",
	}
)

// phrase is something that a kind of sender would write.
func phrase(r *rand.Rand, sender string) string {
	switch sender {
	case "Contact":
		return pick(r, customerSays)
	case "AgentBot":
		return pick(r, botSays)
	}
	return pick(r, agentSays)
}
