package e2e

import (
	"strconv"
	"strings"
	"testing"

	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
)

// TestKeypad leads residents who don't see the screen, one visit a subtest,
// through the journeys by the keypad under it. What to press next is decided by
// what the voice has said, and by nothing else.
func TestKeypad(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	for _, journey := range []struct {
		name string
		run  func(*testing.T, *xdrive.Borne)
	}{
		{"demarche", keypadDemarche},
		{"search", keypadSearch},
		{"level", keypadLevel},
		{"callback", keypadCallback},
	} {
		ended := t.Run(journey.name, func(t *testing.T) {
			b.Lend(t)
			// The key with a tactile mark comes first.
			key(b, "F1", "Lecture à voix haute activée.")
			choose(b, "Touchez l'écran", "Que voulez-vous faire")
			journey.run(t, b)
			key(b, "Home", "Que voulez-vous faire")
			b.Seek("Up", "J'ai terminé")
			key(b, "Return", "Cette borne vous a-t-elle aidé")
			b.Seek("Up", "J'ai terminé")
			b.Key("Return")
			// The visit is over: speech has to be switched on anew.
			key(b, "F1", "Lecture à voix haute activée.")
			key(b, "F1", "Lecture à voix haute arrêtée.")
		})
		if !ended {
			b.Stop()
			b.Start()
		}
	}
}

// key presses a key, waits for the words it brings and listens to the end.
func key(b *xdrive.Borne, name, then string) {
	b.Key(name)
	b.WaitSpoken(then)
	b.Listen()
}

// choose goes down to a choice, takes it, waits for the words that brings and
// listens to the end.
func choose(b *xdrive.Borne, choice, then string) {
	b.Seek("Down", choice)
	key(b, "Return", then)
}

// wantSaid asks that all the words were said since the last key.
func wantSaid(t *testing.T, b *xdrive.Borne, words ...string) {
	t.Helper()
	var said []string
	for _, u := range b.Listen() {
		said = append(said, u.Text)
	}
	all := strings.Join(said, "\n")
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("the voice did not say %q, but:\n%s", w, all)
		}
	}
}

func keypadDemarche(t *testing.T, b *xdrive.Borne) {
	before := len(b.Tickets())
	choose(b, "Faire une démarche", "Quelle démarche")
	choose(b, "Carte d'identité, passeport", "Que voulez-vous demander")
	wantSaid(t, b, "Une carte d'identité", "Un passeport", "Je ne sais pas")
	choose(b, "Une carte d'identité", "C'est pour qui")
	choose(b, "Pour moi, un adulte", "Pourquoi faites-vous cette demande")
	key(b, "Escape", "C'est pour qui")
	choose(b, "Pour un jeune", "Pourquoi faites-vous cette demande")
	choose(b, "Le papier est perdu", "Avez-vous une autre carte d'identité")
	choose(b, "Non", "Voici ce qu'il vous faut")
	wantSaid(t, b, "1 photo d'identité", "1 justificatif de domicile du parent", "Le timbre fiscal",
		"25 euros. Timbre fiscal, pour une carte perdue ou volée. Prix ou délai à vérifier", "Quelques semaines", "Vous déclarez la perte")
	choose(b, "Imprimer", "Votre ticket est imprimé.")
	wantText(t, b.WaitTicket(before+1), "Carte d’identité, passeport", "Pour un jeune",
		"[ ] 1 photo d’identité", "[ ] 1 justificatif de domicile du parent", "[ ] Le timbre fiscal", "Carte d’identité : 25 €")
}

func keypadSearch(t *testing.T, b *xdrive.Borne) {
	before := len(b.Tickets())
	choose(b, "Trouver de l'aide", "De quelle aide avez-vous besoin")
	choose(b, "Chercher un lieu par son nom", "Quel lieu cherchez-vous")
	typeOn(t, b, letters, "post", func(n int, words string) {
		// What is typed, and how much is found by it.
		if !strings.HasPrefix(words, "post"[:n]+". ") || !strings.HasSuffix(words, " choix.") {
			t.Errorf("after %d letters the voice says %q", n, words)
		}
	})
	b.Seek("Up", "Bureau de poste des Trois-Ponts")
	key(b, "Return", "Mardi (aujourd'hui)")
	wantSaid(t, b, "Bureau de poste des Trois-Ponts", "7 rue du Facteur, Strasbourg", "Gratuit", "Ouvert jusqu'à 18 heures", "9 heures", "zéro 1, 99, zéro zéro, zéro zéro, 16")
	choose(b, "Imprimer", "Votre ticket est imprimé.")
	wantText(t, b.WaitTicket(before+1), "Bureau de poste des Trois-Ponts", "7 rue du Facteur", "Mardi 24 : 9 h – 18 h")
}

// The keyboards on the glass, in the order in which the keypad walks them.
const (
	letters = "1234567890azertyuiopqsdfghjklmé"
	digits  = "123456789 0+"
)

// typeOn walks to the key of each sign and presses it. said is told what the
// voice said of it.
func typeOn(t *testing.T, b *xdrive.Borne, keyboard, text string, said func(n int, words string)) {
	t.Helper()
	at := 0
	for i, sign := range strings.Split(text, "") {
		way, to := "Down", strings.Index(keyboard, sign)
		if i > 0 && to < at {
			way = "Up"
		}
		at = to
		presses := 0
		for b.Press(way) != sign {
			if presses++; presses > 60 {
				t.Fatalf("there is no key %q", sign)
			}
		}
		said(i+1, b.Press("Return"))
	}
}

func keypadLevel(t *testing.T, b *xdrive.Borne) {
	before := len(b.Tickets())
	choose(b, "Faire le point", "Question 1 sur 5")
	for n, answer := range []string{"Je n'ai pas d'appareil", "Non, quelqu'un le fait pour moi", "Oui, avec un peu d'aide", "Je n'ai jamais essayé"} {
		choose(b, answer, "Question "+string(rune('2'+n))+" sur 5")
	}
	choose(b, "Apprendre à faire sans aide", "Une formation")
	suit := demoPlaces(t).with("services", "Maîtrise des outils numériques du quotidien").with("modalites_accompagnement", "Dans un atelier collectif")
	wantSaid(t, b, "Vous pouvez apprendre à faire sans aide, pas à pas.", spoken(suit[0]["nom"]), spoken(suit[1]["nom"]))
	choose(b, "Imprimer", "Votre ticket est imprimé.")
	wantText(t, b.WaitTicket(before+1), "Une formation", suit[0]["nom"], suit[1]["nom"])
}

// spoken is a name as the voice says it.
func spoken(name string) string { return strings.ReplaceAll(name, "’", "'") }

func keypadCallback(t *testing.T, b *xdrive.Borne) {
	const number = "0198765432"
	before := len(b.Tickets())
	choose(b, "Être rappelé", "À propos de quoi")
	choose(b, "Logement", "Votre numéro de téléphone")
	typed := func(n int, words string) {
		want := strconv.Itoa(n) + " signes écrits."
		if n == 1 {
			want = "1 signe écrit."
		}
		if words != want {
			t.Errorf("after %d digits the voice says %q", n, words)
		}
	}
	typeOn(t, b, digits, number[:5], typed)
	// An error says how to mend it.
	b.Seek("Down", "Continuer")
	key(b, "Return", "Le numéro est trop court. Il a 10 chiffres.")
	b.Seek("Up", "0")
	typeOn(t, b, digits, number[5:], func(n int, words string) { typed(n+5, words) })
	choose(b, "Continuer", "Quand peut-on vous appeler")
	choose(b, "Demain matin", "Demain matin")
	choose(b, "Continuer", "Votre prénom, si vous voulez")
	choose(b, "Continuer sans prénom", "Relisez votre demande")
	if said := b.Press("space"); !strings.Contains(said, "Relisez votre demande") {
		t.Errorf("asked to repeat the page, the voice says %q", said)
	}
	wantSaid(t, b, "Logement", "On vous appelle au", "gardé secret", "Demain matin", "Sans prénom")
	if found := betrayed([]byte(allSaid(b)), secrets(number, "Zélinda")); len(found) > 0 {
		t.Errorf("the loudspeaker has said the number: %s", found)
	}
	choose(b, "Écouter ce que j'ai écrit", "choisi")
	b.Seek("Up", "zéro 1, 98, 76, 54, 32")

	b.Seek("Down", "Envoyer")
	key(b, "Return", "Touchez d'abord")
	choose(b, "J'accepte qu'un", "J'accepte qu'un médiateur utilise ces informations pour me joindre., choisi")
	choose(b, "Envoyer ma demande", "C'est noté.")
	sent := requestOf(t, b, "+33198765432")
	spelt := strings.Join(strings.Split(sent.Code, ""), " ")
	wantSaid(t, b, "Un médiateur vous appelle demain matin", "zéro 1, chiffres cachés, 32", spelt)
	choose(b, "Imprimer", "Votre ticket est imprimé.")
	wantText(t, b.WaitTicket(before+1), "CODE: "+callback.FormatCode(sent.Code), "demain matin, 9 h – 12 h")
	wantRequest(t, sent, callback.Request{
		Topic: "logement", Phone: "+33198765432", Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-25T09:00:00+01:00", "2026-11-25T12:00:00+01:00")},
	})
}

// allSaid is all that the voice has said, in one text.
func allSaid(b *xdrive.Borne) string {
	var all strings.Builder
	for _, u := range b.Spoken() {
		all.WriteString(u.Text)
		all.WriteByte('\n')
	}
	return all.String()
}

// Volume goes by steps from either plus key, without looking (EN 301 549, 5.1.3.11).
func TestVolumeKeys(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Bare: true})
	b.Key("F1")
	b.WaitSpoken("Lecture à voix haute activée")
	for _, press := range []struct{ key, hears string }{
		{"plus", "Volume 4 sur 8"}, {"KP_Add", "Volume 5 sur 8"}, {"minus", "Volume 4 sur 8"}, {"KP_Subtract", "Volume 3 sur 8"},
	} {
		b.Key(press.key)
		b.WaitSpoken(press.hears)
	}
}
