package voice_test

import (
	"testing"

	"parvis/app/voice"
)

func TestNormalise(t *testing.T) {
	tests := []struct{ name, lang, in, want string }{
		{"time", "fr", "Ouvert jusqu’à 14 h 30.", "Ouvert jusqu'à 14 heures 30."},
		{"time with no-break spaces", "fr", "à 14\u00a0h\u00a030", "à 14 heures 30"},
		{"time without spaces", "fr", "14h30", "14 heures 30"},
		{"time with a colon", "fr", "14:30", "14 heures 30"},
		{"hour alone", "fr", "Fermé à 18 h", "Fermé à 18 heures"},
		{"one hour", "fr", "1 h 30", "une heure 30"},
		{"21 hours and 21 minutes", "fr", "21 h 21", "vingt-et-une heures vingt-et-une"},
		{"whole hour", "fr", "9 h 00", "9 heures"},
		{"early minutes", "fr", "9 h 05", "9 heures 5"},
		{"opening hours", "fr", "9 h–12 h, 13 h 30 – 17 h", "9 heures à 12 heures, 13 heures 30 à 17 heures"},
		{"opening hours with a hyphen", "fr", "9h-12h, 14h-18h30", "9 heures à 12 heures, 14 heures à 18 heures 30"},
		{"all day", "fr", "24h/24, 7j/7", "24 heures sur 24, 7 jours sur 7"},
		{"a word that ends in h", "fr", "le 8 hôpital", "le 8 hôpital"},
		{"sir", "fr", "M. Durand", "monsieur Durand"},
		{"initial of a code", "fr", "K, 7, M. Fin", "K, 7, monsieur Fin"},
		{"madam", "fr", "Mme Durand", "madame Durand"},
		{"number", "fr", "n° 5, N°6", "numéro 5, numéro 6"},
		{"sum", "fr", "86 €", "86 euros"},
		{"sum with cents", "fr", "25,50 €", "25 euros 50"},
		{"sum with round cents", "fr", "25,00 €", "25 euros"},
		{"cents", "fr", "0,50 €", "50 centimes"},
		{"one euro", "fr", "1 €", "1 euro"},
		{"thousands", "fr", "1\u202f234 €/mois", "1234 euros par mois"},
		{"euro sign alone", "fr", "en €", "en euros"},
		{"phone", "fr", "Appelez le 06 12 34 56 78.", "Appelez le zéro 6, 12, 34, 56, 78."},
		{"phone without spaces", "fr", "0612345678", "zéro 6, 12, 34, 56, 78"},
		{"phone with zeros", "fr", "04.00.05.10.00", "zéro 4, zéro zéro, zéro 5, 10, zéro zéro"},
		{"phone from abroad", "fr", "+33 6 12 34 56 78", "plus 33, 6, 12, 34, 56, 78"},
		{"phone from abroad with 00", "fr", "00 33 6 12 34 56 78", "zéro zéro, 33, 6, 12, 34, 56, 78"},
		{"overseas phone", "fr", "0692 12 34 56", "zéro 6, 92, 12, 34, 56"},
		{"free phone", "fr", "0 800 123 004", "zéro 800, 123, zéro zéro 4"},
		{"short phone", "fr", "composez le 3949", "composez le 39, 49"},
		{"masked phone", "fr", "06 •• •• •• 52", "zéro 6, chiffres cachés, 52"},
		{"masked signs", "fr", "•••• 42", "chiffres cachés 42"},
		{"fourteen digits are no phone", "fr", "06123456781234", "06123456781234"},
		{"date", "fr", "le 21/11/2026", "le 21 novembre 2026"},
		{"first of the month", "fr", "01/02/2027", "premier février 2027"},
		{"no date", "fr", "45/13/2026", "45 sur 13 sur 2026"},
		{"first", "fr", "le 1er étage, la 1re fois, la 1ère fois", "le premier étage, la première fois, la première fois"},
		{"second", "fr", "2e, 3ème", "deuxième, troisième"},
		{"district", "fr", "Paris 20e, 21e", "Paris vingtième, 21ème"},
		{"weight", "fr", "2 kg", "2 kilogrammes"},
		{"distance", "fr", "1 km puis 300 m", "1 kilomètre puis 300 mètres"},
		{"decimal distance", "fr", "1,5 km et 2,5 km", "1,5 kilomètre et 2,5 kilomètres"},
		{"minutes", "fr", "21 min à pied, 1 min, 12 min", "vingt-et-une minutes à pied, une minute, 12 minutes"},
		{"progress", "fr", "Question 1/5", "Question 1 sur 5"},
		{"sigle said as a word", "fr", "la CAF et l’URSSAF", "la CAF et l'URSSAF"},
		{"sigles spelt", "fr", "RSA, APL, CPAM", "R S A, A P L, C P A M"},
		{"sigle without a vowel", "fr", "MDPH", "M D P H"},
		{"sigle with dots", "fr", "le R.S.A. est", "le R S A est"},
		{"a name in capitals", "fr", "MAIRIE DE LYON", "MAIRIE DE LYON"},
		{"QR code", "fr", "Scannez le QR code", "Scannez le Q R code"},
		{"wifi", "fr", "wifi, WiFi et Wi‑Fi", "Wi-Fi, Wi-Fi et Wi-Fi"},
		{"web address", "fr", "Allez sur service-public.gouv.fr.", "Allez sur service-public point gouv point fr."},
		{"whole web address", "fr", "https://www.service-public.gouv.fr/particuliers/?a=1", "service-public point gouv point fr, barre oblique particuliers"},
		{"end of a web address", "fr", "finit par .gouv.fr", "finit par point gouv point fr"},
		{"middle dot", "fr", "Borne · gratuit", "Borne, gratuit"},
		{"middle dot in a word", "fr", "formateurs·trices", "formateurs trices"},
		{"street in capitals", "fr", "2 PL JEAN JAURES", "2 place JEAN JAURES"},
		{"a sigle at the end of a sentence", "fr", "C’est la CPAM. Pour tous.", "C'est la C P A M. Pour tous."},
		{"mail address", "fr", "aide@mairie.fr", "aide arobase mairie point fr"},
		{"lines", "fr", "Bonjour\n• un papier\n• une photo", "Bonjour.\nun papier.\nune photo"},
		{"spelt code stays", "fr", "K, 7, Q ; 4, M, 2", "K, 7, Q ; 4, M, 2"},
		{"easy French is French", "falc", "14 h 30", "14 heures 30"},
		{"English time", "en", "14 h 30, 9:00–12:00", "14:30, 9:00 to 12:00"},
		{"English phone", "en", "Call 06 12 34 56 78.", "Call zero 6, 12, 34, 56, 78."},
		{"English masked phone", "en", "06 •• •• •• 52", "zero 6, hidden digits, 52"},
		{"English address", "en", "service-public.gouv.fr", "service-public dot gouv dot fr"},
		{"English date", "en", "21/11/2026", "21 November 2026"},
		{"English walk", "en", "12 min, 1 km", "12 minutes, 1 kilometre"},
		{"English sigles", "en", "the CPAM, n° 5", "the C P A M, number 5"},
		{"another language keeps its words", "ar", "14 h 30", "14 h 30"},
		{"empty", "fr", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := voice.Normalise(tt.lang, tt.in)
			if got != tt.want {
				t.Errorf("Normalise(%q, %q)\n got %q\nwant %q", tt.lang, tt.in, got, tt.want)
			}
		})
	}
}

func TestSpell(t *testing.T) {
	tests := []struct{ name, code, want string }{
		{"callback code", "K7Q 4M2", "K, 7, Q ; 4, M, 2"},
		{"one group", "A0", "A, 0"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := voice.Spell("fr", tt.code); got != tt.want {
				t.Errorf("Spell(%q) = %q, want %q", tt.code, got, tt.want)
			}
			if got := voice.Normalise("fr", voice.Spell("fr", tt.code)); got != tt.want {
				t.Errorf("Normalise changes a spelt code to %q, want %q", got, tt.want)
			}
		})
	}
}
