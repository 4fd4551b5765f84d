package journeytest

import (
	"strings"
	"testing"
	"testing/fstest"

	"parvis/kiosk/fiche"
	"parvis/kiosk/visit"
)

// Made-up fiches with what a fiche can hold, under the ids of real ones that
// the démarches name.
const (
	health = `<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F10027" spUrl="https://www.service-public.gouv.fr/particuliers/vosdroits/F10027">
<dc:title>Aide pour les frais de santé (essai)</dc:title><dc:subject>Social - Santé</dc:subject><dc:date>modified 2026-11-01</dc:date>
<Introduction><Texte><Paragraphe>Cette aide paie vos soins. Elle dure 1 an.</Paragraphe>
<Avertissement><Titre>Le plafond change</Titre><Texte><Paragraphe>Un décret fixe le nouveau montant au 1er janvier.</Paragraphe></Texte></Avertissement></Texte></Introduction>
<Texte>
<Chapitre type="pieces"><Titre><Paragraphe>Quelles pièces fournir ?</Paragraphe></Titre>
<Paragraphe>Préparez ces papiers avec un <LienIntra LienID="R1">justificatif de domicile</LienIntra> et l’avis d’<LienIntra LienID="R2">imposition ou de non-imposition de votre foyer fiscal</LienIntra>.</Paragraphe>
<Liste type="puce"><Item><Paragraphe>Carte d’identité</Paragraphe></Item><Item><Paragraphe>Ressources</Paragraphe><Liste type="puce"><Item><Paragraphe>de 12 mois</Paragraphe></Item></Liste></Item></Liste>
<ANoter><Titre>À noter</Titre><Paragraphe>si vous êtes hébergé, il faut aussi une lettre.</Paragraphe><Paragraphe>Elle est signée.</Paragraphe></ANoter>
</Chapitre>
<Chapitre><Titre><Paragraphe>Qui peut la demander ?</Paragraphe></Titre>
<BlocCas affichage="radio"><Cas><Titre><Paragraphe>Vous travaillez</Paragraphe></Titre><Paragraphe>Vous cotisez en France.</Paragraphe></Cas>
<Cas><Titre><Paragraphe>Vous ne travaillez pas</Paragraphe></Titre><Paragraphe>Vous vivez en France depuis 3 mois.</Paragraphe></Cas></BlocCas>
</Chapitre>
<Chapitre><Titre><Paragraphe>Combien ça coûte ?</Paragraphe></Titre>
<Paragraphe>Le prix dépend de l’âge.</Paragraphe>
<Tableau><Titre>Prix par mois</Titre><Rangée type="header"><Cellule><Paragraphe>Âge</Paragraphe></Cellule><Cellule><Paragraphe>Seul</Paragraphe></Cellule><Cellule><Paragraphe>À deux</Paragraphe></Cellule></Rangée>
<Rangée><Cellule><Paragraphe>Moins de 30 ans</Paragraphe></Cellule><Cellule><Paragraphe>8 €</Paragraphe></Cellule><Cellule><Paragraphe>16 €</Paragraphe><Paragraphe>ou moins quand vous avez plus de 60 ans</Paragraphe></Cellule></Rangée></Tableau>
<BlocCas affichage="radio"><Cas><Titre><Paragraphe>Vous avez le RSA</Paragraphe></Titre><Paragraphe>C’est gratuit.</Paragraphe>
<BlocCas><Cas><Titre><Paragraphe>Depuis 1 an</Paragraphe></Titre><Paragraphe>Elle se renouvelle seule.</Paragraphe></Cas></BlocCas></Cas>
<Cas><Titre><Paragraphe>Autre cas</Paragraphe></Titre><Paragraphe>Vous payez chaque mois.</Paragraphe></Cas></BlocCas>
<Attention><Titre>Attention</Titre><Paragraphe>Un retard de 2 mois ferme le droit.</Paragraphe></Attention>
</Chapitre>
<Chapitre><Titre><Paragraphe>Comment faire ?</Paragraphe></Titre>
<SousChapitre><Titre><Paragraphe>En ligne</Paragraphe></Titre>
<Liste type="numero"><Item><Paragraphe>Ouvrez votre compte</Paragraphe></Item><Item><Paragraphe>Remplissez la demande</Paragraphe></Item></Liste>
<ServiceEnLigne ID="R3" type="Téléservice" URL="https://www.exemple.fr/compte"><Titre>Mon compte</Titre><Source>Caisse d’essai</Source></ServiceEnLigne>
<Fiche ID="F1341">Carte d’identité (essai)</Fiche>
</SousChapitre>
<SousChapitre><Titre><Paragraphe>Sur place</Paragraphe></Titre>
<TitreFlottant><Paragraphe>À l’accueil</Paragraphe></TitreFlottant><Paragraphe>LONG</Paragraphe>
<OuSAdresser URL="https://www.exemple.fr/LOIN"><Titre>Caisse d’essai</Titre><Texte><Paragraphe>Prenez rendez-vous par téléphone.</Paragraphe></Texte></OuSAdresser>
<OuSAdresser><Titre>Mairie</Titre><PivotLocal>mairie</PivotLocal></OuSAdresser>
<Image><Titre>Le formulaire</Titre><Legende>Première page</Legende><TexteDeRemplacement>Où signer</TexteDeRemplacement></Image>
<Video URL="https://www.exemple.fr/film"><Titre>Le film</Titre></Video>
</SousChapitre>
</Chapitre>
</Texte>
<QuiPeutMAider URL="https://www.exemple.fr/aide"><Titre>Service d’aide</Titre></QuiPeutMAider>
<ServiceEnLigne ID="R4" type="Formulaire" numerocerfa="12345*01" URL="https://www.exemple.fr/formulaire"><Titre>Demande</Titre></ServiceEnLigne>
<Reference URL="https://www.exemple.fr/loi"><Titre>Une loi</Titre></Reference>
<Definition ID="R1"><Titre>Justificatif de domicile</Titre><Texte><Paragraphe>Un papier récent avec votre nom et votre adresse.</Paragraphe></Texte></Definition>
<Definition ID="R2"><Titre>Avis d’imposition</Titre><Texte><Paragraphe>La lettre des impôts.</Paragraphe></Texte></Definition>
</Publication>`

	identity = `<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F1341">
<dc:title>Carte d’identité (essai)</dc:title><dc:date>modified 2026-10-05</dc:date>
<ListeSituations affichage="onglet">
<Situation><Titre>Majeur</Titre><Texte><Chapitre><Titre><Paragraphe>Où aller ?</Paragraphe></Titre><Paragraphe>En mairie.</Paragraphe></Chapitre>
<Chapitre><Titre><Paragraphe>Quel délai ?</Paragraphe></Titre><Paragraphe>Il dépend de la mairie.</Paragraphe></Chapitre></Texte></Situation>
<Situation><Titre>Mineur</Titre><Texte><Chapitre><Titre><Paragraphe>Où aller ?</Paragraphe></Titre><Paragraphe>En mairie, avec un parent.</Paragraphe></Chapitre></Texte></Situation>
</ListeSituations></Publication>`

	passport = `<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F14929">
<dc:title>Passeport (essai)</dc:title><dc:date>modified 2026-10-05</dc:date><Texte><Paragraphe>Il sert à voyager.</Paragraphe></Texte></Publication>`
)

// Fiches is a small folder of fiches.
func Fiches() fstest.MapFS {
	long := strings.Repeat("Le guichet vous reçoit sans rendez-vous et vous explique chaque papier de la demande. ", 6)
	full := strings.NewReplacer("LONG", strings.TrimSpace(long), "LOIN", strings.Repeat("tres-loin/", 40)).Replace(health)
	return fstest.MapFS{"F10027.xml": {Data: []byte(full)}, "F1341.xml": {Data: []byte(identity)}, "F14929.xml": {Data: []byte(passport)}}
}

// openFiches opens Fiches.
func openFiches(t testing.TB) *fiche.Library {
	t.Helper()
	l, err := fiche.Open(Fiches())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Problems() {
		t.Fatal(p)
	}
	return l
}

// ficheScenes are those of fiches; results are the paths to the outcome of each
// démarche.
func ficheScenes(at func(string, ...string) *visit.Visit, results map[string][]string) {
	open := func(name, demarche string, ids ...string) {
		at(name, append(append([]string{}, results[demarche]...), ids...)...)
	}
	const aid, papers = "complementaire-sante-solidaire", "carte-identite-passeport"
	open("fiche", aid, "fiches")
	open("fiche.link", aid, "fiches", "phone")
	open("fiche.section", aid, "fiches", "part:/0")
	open("fiche.section", aid, "fiches", "part:/1")
	open("fiche.definition", aid, "fiches", "part:/1", "word:R1")
	open("fiche.cases", aid, "fiches", "part:/1", "next")
	open("fiche.section", aid, "fiches", "part:/2", "section:3")
	open("fiche.section", aid, "fiches", "part:/3")
	open("fiche.section", aid, "fiches", "part:/3", "section:5", "section:6")
	open("fiche.cases", aid, "fiches", "part:/4")
	open("fiche.section", aid, "fiches", "part:/4", "part:/4/0")
	open("fiche.link", aid, "fiches", "part:/4", "part:/4/0", "link:9:1")
	open("fiche.section", aid, "fiches", "part:/4", "part:/4/1")
	open("fiche.link", aid, "fiches", "part:/4", "part:/4/1", "link:10:2")
	open("fiche.section", aid, "fiches", "section:11")
	open("fiche.section", aid, "fiches", "section:12")
	open("demarche.fiches", papers, "fiches")
	open("fiche", papers, "fiches", "fiche:F1341")
	open("fiche.cases", papers, "fiches", "fiche:F1341", "part:/0")
	open("fiche.section", papers, "fiches", "fiche:F1341", "part:/0", "part:/0/1")
	open("fiche.section", papers, "fiches", "fiche:F14929", "part:/0")
}
