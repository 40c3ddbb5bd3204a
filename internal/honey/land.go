package honey

import (
	"fmt"
	mathrand "math/rand/v2"
	"strings"
)

// land is where people come from: common names, towns with the beginning of their
// postcodes, and the telephone numbers that are kept free for fiction there.
type land struct {
	code            string
	given, surnames []string
	towns           []town
	streets         []string
	// house writes a street and a number in the order of the land.
	house string
	phone func(*mathrand.Rand) string
}

type town struct{ name, postcode string } // in a postcode # is a digit, @ a letter

func words(s string) []string { return strings.Fields(s) }

func (l *land) address(rng *mathrand.Rand) (street, postcode, city string) {
	t := draw(rng, l.towns)
	return fmt.Sprintf(l.house, draw(rng, l.streets), 1+rng.IntN(140)), digits(rng, t.postcode), t.name
}

// digits fills a pattern in.
func digits(rng *mathrand.Rand, pattern string) string {
	b := []byte(pattern)
	for i, c := range b {
		switch c {
		case '#':
			b[i] = byte('0' + rng.IntN(10))
		case '@':
			b[i] = "ABDEFGHJLNPQRSTUWXYZ"[rng.IntN(20)]
		}
	}
	return string(b)
}

// Numbers for fiction: 555-0100 to 0199 in North America (NANPA); 07700 900000 to
// 900999 in the United Kingdom (Ofcom); +49 30 23125 000 to 999 in Germany
// (Bundesnetzagentur); 06 39 98 00 00 to 99 99 in France (Arcep).
var lands = []land{
	{
		code: "US", house: "%[2]d %[1]s",
		given: words(`James Mary Robert Patricia Michael Jennifer David Linda William Elizabeth Richard Barbara Joseph Susan Thomas Jessica
			Daniel Karen Matthew Lisa Anthony Nancy Mark Sandra Steven Ashley Andrew Emily Joshua Donna Kevin Michelle Brian Carol
			Jason Amanda Ryan Melissa Jacob Deborah Nicholas Rebecca Eric Laura Jonathan Cynthia Justin Amy Brandon Angela`),
		surnames: words(`Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Murphy Cook Rogers Morgan
			Peterson Cooper Reed Bailey Bell Gomez Kelly Howard Ward Cox Diaz Richardson Wood Watson Brooks Bennett Gray James Reyes
			Hughes Price Myers Long Foster Sanders Ross Morales Powell Sullivan Russell Ortiz Jenkins Gutierrez Perry`),
		towns: []town{{"Columbus", "432##"}, {"Portland", "972##"}, {"Tucson", "857##"}, {"Raleigh", "276##"}, {"Omaha", "681##"},
			{"Richmond", "232##"}, {"Boise", "837##"}, {"Rochester", "146##"}, {"Madison", "537##"}, {"Spokane", "992##"}},
		streets: []string{"Maple Avenue", "Oak Street", "Washington Street", "Lakeview Drive", "Cedar Lane", "Park Avenue", "Hillcrest Road",
			"Elm Street", "Sunset Drive", "Highland Avenue", "Mill Road", "Franklin Street"},
		phone: func(rng *mathrand.Rand) string {
			return digits(rng, "+1 "+draw(rng, words("614 503 520 919 402 804 208 585 608 509"))+" 555 01##")
		},
	},
	{
		code: "GB", house: "%[2]d %[1]s",
		given: words(`Oliver Olivia George Amelia Harry Isla Jack Ava Charlie Emily Thomas Sophie Oscar Grace William Lily Henry Freya
			Alfie Ella Leo Charlotte Joshua Hannah Edward Lucy Samuel Megan Adam Holly Callum Eleanor Rhys Bethan Ewan Fiona`),
		surnames: words(`Taylor Davies Wilson Evans Thomas Johnson Walker Wright Robinson Thompson Hughes Lewis Green Hall Wood Harris Clarke
			Jackson Turner Hill Moore Cooper Ward Harrison Morgan Baker Patel Fraser Murray Gibson Reid Ferguson Pritchard Griffiths`),
		towns: []town{{"Leeds", "LS# #@@"}, {"Bristol", "BS# #@@"}, {"Cardiff", "CF# #@@"}, {"Norwich", "NR# #@@"}, {"Exeter", "EX# #@@"},
			{"York", "YO# #@@"}, {"Dundee", "DD# #@@"}, {"Reading", "RG# #@@"}},
		streets: []string{"Church Lane", "Station Road", "Victoria Road", "Green Lane", "Manor Road", "Kings Road", "Queens Road", "Mill Lane",
			"The Crescent", "North Street", "Windsor Road", "Albert Road"},
		phone: func(rng *mathrand.Rand) string { return digits(rng, "+44 7700 900###") },
	},
	{
		code: "DE", house: "%[1]s %[2]d",
		given: words(`Lukas Anna Leon Lena Jonas Laura Felix Julia Paul Sarah Maximilian Lisa Tim Katharina Jan Sophie Moritz Hannah Niklas
			Marie Florian Johanna Tobias Franziska Sebastian Miriam Matthias Sabine Thomas Petra Stefan Claudia Jürgen Birgit Günter Käthe`),
		surnames: words(`Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
			Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause Meier Lehmann Köhler Maier`),
		towns: []town{{"Leipzig", "042##"}, {"Bremen", "282##"}, {"Hannover", "304##"}, {"Kassel", "341##"}, {"Münster", "481##"},
			{"Freiburg", "791##"}, {"Rostock", "180##"}, {"Ulm", "890##"}},
		streets: []string{"Hauptstraße", "Schulstraße", "Gartenstraße", "Bahnhofstraße", "Dorfstraße", "Bergstraße", "Birkenweg", "Lindenstraße",
			"Kirchweg", "Waldstraße", "Ringstraße", "Goethestraße"},
		phone: func(rng *mathrand.Rand) string { return digits(rng, "+49 30 23125 ###") },
	},
	{
		code: "FR", house: "%[2]d %[1]s",
		given: words(`Lucas Emma Hugo Jade Louis Louise Gabriel Alice Jules Chloé Arthur Inès Adam Léa Raphaël Manon Nathan Camille Théo Sarah
			Mathis Juliette Antoine Claire Nicolas Sophie Julien Céline Pierre Isabelle Olivier Nathalie`),
		surnames: words(`Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia David
			Bertrand Roux Vincent Fournier Morel Girard André Mercier Dupont Lambert Bonnet François Martinez Legrand`),
		towns: []town{{"Nantes", "44###"}, {"Rennes", "35###"}, {"Lille", "59###"}, {"Dijon", "21###"}, {"Tours", "37###"}, {"Angers", "49###"},
			{"Metz", "57###"}, {"Pau", "64###"}},
		streets: []string{"rue de la République", "rue Victor Hugo", "avenue Jean Jaurès", "rue du Moulin", "rue des Écoles", "place de la Mairie",
			"rue Pasteur", "chemin des Vignes", "rue de l'Église", "boulevard Gambetta"},
		phone: func(rng *mathrand.Rand) string { return digits(rng, "+33 6 39 98 ## ##") },
	},
}
