package journey_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/skip2/go-qrcode"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/kiosk/fiche"
	"parvis/kiosk/visit"
)

// on is a visit that stands on a fiche's contents.
func on(id string) *visit.Visit {
	v := visit.New(1, "fr")
	v.Go(visit.Step{Page: "home"})
	v.Go(visit.Step{Page: "fiche", Arg: id})
	return v
}

// labels are the rows of a page with their details.
func labels(p page.Page) []string {
	var list []string
	for _, block := range p.Blocks {
		if rows, ok := block.(page.Choices); ok {
			for _, c := range rows.Items {
				list = append(list, strings.TrimSuffix(c.Label+" | "+c.Detail, " | "))
			}
		}
	}
	return list
}

// drawn tells the blocks of a page in short.
func drawn(p page.Page) []string {
	var list []string
	for _, block := range p.Blocks {
		switch b := block.(type) {
		case page.Text:
			list = append(list, strings.TrimPrefix(string(b.Style)+" "+b.Text, " "))
		case page.Checklist:
			for _, it := range b.Items {
				list = append(list, "[ ] "+strings.TrimSpace(it.Text+" "+it.Detail))
			}
		case page.Notice:
			list = append(list, "("+b.Icon+") "+b.Title+" | "+b.Text)
		case page.Table:
			for _, l := range b.Lines {
				list = append(list, map[bool]string{true: "# "}[l.Strong]+strings.TrimSuffix(l.Label+" = "+l.Value, " = "))
			}
		case page.Choices:
			for _, c := range b.Items {
				list = append(list, "> "+strings.TrimSuffix(c.Label+" | "+c.Detail, " | "))
			}
		case page.QR:
			list = append(list, "qr "+b.Data)
		}
	}
	return list
}

const source = "small Source\u00a0: Service-Public.gouv.fr / DILA, fiche du 1er novembre 2026 · service-public.gouv.fr/particuliers/vosdroits/F10027"

func TestFichePages(t *testing.T) {
	b := journeytest.New(t)
	const health, identity = "F10027", "F1341"
	tests := []struct {
		name, id      string
		choose        []string
		kicker, title string
		want          []string
	}{
		{"contents", health, nil, "Fiche officielle", "Aide pour les frais de santé (essai)",
			[]string{"> L’essentiel", "> Quelles pièces fournir ?", "> Qui peut la demander ? | 2 situations", "> Combien ça coûte ? | 2 situations", "> Comment faire ? | 2 chapitres",
				"> Qui peut m’aider\u00a0?", "> Services en ligne et formulaires", "> Lire la fiche sur mon téléphone | service-public.gouv.fr/particuliers/vosdroits/F10027"}},
		{"contents with situations of the whole fiche", identity, nil, "Fiche officielle", "Carte d’identité (essai)",
			[]string{"> Majeur | 2 chapitres", "> Mineur | Où aller ?", "> Lire la fiche sur mon téléphone | service-public.gouv.fr/particuliers/vosdroits/F1341"}},
		{"text before the first chapter", health, []string{"part:/0"}, "Fiche officielle · 1 sur 6", "Aide pour les frais de santé (essai)",
			[]string{"Cette aide paie vos soins. Elle dure 1 an.", "(alert-triangle) Avertissement\u00a0: Le plafond change | Un décret fixe le nouveau montant au 1er janvier.", source}},
		{"papers to bring, and words explained", health, []string{"part:/1"}, "Fiche officielle · 2 sur 6", "Quelles pièces fournir ?",
			[]string{"Préparez ces papiers avec un justificatif de domicile et l’avis d’imposition ou de non-imposition de votre foyer fiscal.",
				"[ ] Carte d’identité", "[ ] Ressources – de 12 mois", "(info-circle) À noter | Si vous êtes hébergé, il faut aussi une lettre. Elle est signée.",
				"> Justificatif de domicile\u00a0: qu’est-ce que c’est\u00a0?", "> Imposition ou de non-imposition de votre foyer fiscal\u00a0: qu’est-ce que c’est\u00a0?", source}},
		{"definition", health, []string{"part:/1", "word:R1"}, "Fiche officielle", "Justificatif de domicile",
			[]string{"Un papier récent avec votre nom et votre adresse.", source}},
		{"chapter that depends on the situation", health, []string{"part:/2"}, "Fiche officielle · 3 sur 6", "Qui peut la demander ?",
			[]string{"> Vous travaillez", "> Vous ne travaillez pas", source}},
		{"one of its situations", health, []string{"part:/2", "section:3"}, "Fiche officielle · 3 sur 6 · Vous ne travaillez pas", "Qui peut la demander ?",
			[]string{"Vous vivez en France depuis 3 mois.", source}},
		{"text around situations", health, []string{"part:/3"}, "Fiche officielle · 4 sur 6", "Combien ça coûte ?",
			[]string{"Le prix dépend de l’âge.", "head Prix par mois", "# Âge\u00a0: Moins de 30 ans", "Seul = 8\u00a0€", "À deux\u00a0:", "16\u00a0€ ou moins quand vous avez plus de 60 ans",
				"> Vous avez le RSA", "> Autre cas", "(alert-triangle) Attention | Un retard de 2 mois ferme le droit.", source}},
		{"situation within a situation", health, []string{"part:/3", "section:5"}, "Fiche officielle · 4 sur 6 · Vous avez le RSA", "Combien ça coûte ?",
			[]string{"C’est gratuit.", "> Depuis 1 an", source}},
		{"chapters of a chapter", health, []string{"part:/4"}, "Fiche officielle · Aide pour les frais de santé (essai)", "Comment faire ?", []string{"> En ligne", "> Sur place", source}},
		{"steps and services", health, []string{"part:/4", "part:/4/0"}, "Fiche officielle · 5 sur 6 · Comment faire ?", "En ligne",
			[]string{"1. Ouvrez votre compte", "2. Remplissez la demande", "> Mon compte | Téléservice · Caisse d’essai · exemple.fr/compte", "> Carte d’identité (essai)", source}},
		{"code of a service", health, []string{"part:/4", "part:/4/0", "link:9:1"}, "Fiche officielle", "Mon compte", []string{"qr https://www.exemple.fr/compte"}},
		{"another fiche of the library", health, []string{"part:/4", "part:/4/0", "link:9:2"}, "Fiche officielle", "Carte d’identité (essai)",
			[]string{"> Majeur | 2 chapitres", "> Mineur | Où aller ?", "> Lire la fiche sur mon téléphone | service-public.gouv.fr/particuliers/vosdroits/F1341"}},
		{"long texts, offices, pictures and films", health, []string{"part:/4", "part:/4/1"}, "Fiche officielle · 6 sur 6 · Comment faire ?", "Sur place",
			[]string{"head À l’accueil", strings.TrimSpace(strings.Repeat("Le guichet vous reçoit sans rendez-vous et vous explique chaque papier de la demande. ", 3)),
				strings.TrimSpace(strings.Repeat("Le guichet vous reçoit sans rendez-vous et vous explique chaque papier de la demande. ", 3)),
				"(building-community) Caisse d’essai | Prenez rendez-vous par téléphone.",
				"> Ouvrir sur mon téléphone | Caisse d’essai · service-public.gouv.fr/particuliers/vosdroits/F10027",
				"(building-community) Mairie | ", "head Le formulaire", "Première page", "Où signer", "head Le film", "> Voir le film sur mon téléphone | exemple.fr/film", source}},
		{"an address too long for a code", health, []string{"part:/4", "part:/4/1", "link:10:2"}, "Fiche officielle", "Caisse d’essai",
			[]string{"qr https://www.service-public.gouv.fr/particuliers/vosdroits/F10027"}},
		{"who can help", health, []string{"section:11"}, "Fiche officielle", "Qui peut m’aider\u00a0?", []string{"> Service d’aide | exemple.fr/aide", source}},
		{"online", health, []string{"section:12"}, "Fiche officielle", "Services en ligne et formulaires",
			[]string{"> Demande | Formulaire · Formulaire n°\u00a012345*01 · exemple.fr/formulaire", source}},
		{"chapter of a situation of the whole fiche", identity, []string{"part:/0", "part:/0/1"}, "Fiche officielle · 2 sur 2 · Majeur", "Quel délai ?",
			[]string{"Il dépend de la mairie.", "small Source\u00a0: Service-Public.gouv.fr / DILA, fiche du 5 octobre 2026 · service-public.gouv.fr/particuliers/vosdroits/F1341"}},
		{"the only chapter of a situation", identity, []string{"part:/1"}, "Fiche officielle · Mineur", "Où aller ?",
			[]string{"En mairie, avec un parent.", "small Source\u00a0: Service-Public.gouv.fr / DILA, fiche du 5 octobre 2026 · service-public.gouv.fr/particuliers/vosdroits/F1341"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := on(tt.id)
			b.Choose(t, v, tt.choose...)
			p := b.Page(t.Context(), v)
			if p.Kicker != tt.kicker || p.Title != tt.title {
				t.Errorf("kicker %q, title %q", p.Kicker, p.Title)
			}
			if got := drawn(p); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// The arrows lead through the chapters of a fiche, or of one of its
// situations, and back leads to the contents from all of them.
func TestFicheArrows(t *testing.T) {
	b := journeytest.New(t)
	v := on("F10027")
	b.Choose(t, v, "part:/0")
	var titles []string
	for {
		p := b.Page(t.Context(), v)
		titles = append(titles, p.Title)
		if v.Here().Page == "fiche.section" && p.Title == "Combien ça coûte ?" {
			b.Choose(t, v, "section:5", "section:6") // two situations deep
		}
		next, ok := b.Page(t.Context(), v).Find("next")
		if !ok || next.Disabled() {
			if next.Why != "C’est le dernier chapitre." {
				t.Errorf("the last page says %q", next.Why)
			}
			break
		}
		b.Choose(t, v, "next")
	}
	want := []string{"Aide pour les frais de santé (essai)", "Quelles pièces fournir ?", "Qui peut la demander ?", "Combien ça coûte ?", "En ligne", "Sur place"}
	if !slices.Equal(titles, want) {
		t.Errorf("read %q", titles)
	}
	b.Choose(t, v, "nav.back")
	if v.Here().Page != "fiche" {
		t.Errorf("back leads to %v", v.Here())
	}
	b.Choose(t, v, "part:/1", "previous")
	if c, _ := b.Page(t.Context(), v).Find("previous"); c.Why != "C’est le premier chapitre." {
		t.Errorf("the first page says %q", c.Why)
	}

	v = on("F1341")
	b.Choose(t, v, "part:/0", "part:/0/1")
	if c, _ := b.Page(t.Context(), v).Find("next"); !c.Disabled() {
		t.Error("the last chapter for adults leads to those for minors")
	}
}

func TestFicheOfADemarche(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "fr")
	b.Choose(t, v, "start", "demarches", "demarche:carte-identite-passeport", "answer:carte")
	for q := b.Page(t.Context(), v); q.Name == "demarche.question"; q = b.Page(t.Context(), v) {
		b.Choose(t, v, q.Blocks[0].(page.Choices).Items[0].ID)
	}
	all := b.Fiches.Load()
	b.Fiches.Store(nil)
	if _, ok := b.Page(t.Context(), v).Find("fiches"); ok {
		t.Error("fiches are offered before they are read")
	}
	b.Fiches.Store(all)
	row, ok := b.Page(t.Context(), v).Find("fiches")
	if !ok || row.Label != "Lire les 2 fiches officielles" {
		t.Errorf("offered: %v %+v", ok, row)
	}
	b.Choose(t, v, "fiches")
	if got := labels(b.Page(t.Context(), v)); !slices.Equal(got, []string{"Carte d’identité (essai)", "Passeport (essai)"}) {
		t.Errorf("listed %q", got)
	}
	b.Choose(t, v, "fiche:F1341", "part:/1")
	if b.Counts["fiche.shown"] != 1 {
		t.Errorf("counts %v", b.Counts)
	}
	b.Fiches.Store(&fiche.Library{}) // a new library without it
	if p := b.Page(t.Context(), v); p.Title != "Où aller ?" {
		t.Errorf("the fiche in the resident's hands is gone: %q", p.Title)
	}
	later := on("F1341")
	if p := b.Page(t.Context(), later); p.Title != "Cette fiche n’est plus là" {
		t.Errorf("a fiche that has gone shows %q", p.Title)
	}
	b.Choose(t, v, "nav.back", "nav.back", "nav.back")
	if v.Here().Page != "demarche.result" {
		t.Errorf("back leads to %v", v.Here())
	}
}

func TestPrintFiche(t *testing.T) {
	b := journeytest.New(t)
	v := on("F10027")
	b.Choose(t, v, "part:/3", "print", "section:5", "print")
	if len(b.Tickets) != 2 {
		t.Fatalf("%d tickets", len(b.Tickets))
	}
	for n, want := range [][]string{{"Le prix dépend de l’âge.", "Un retard de 2 mois ferme le droit."}, {"Vous avez le RSA", "C’est gratuit."}} {
		for _, text := range append(want, "Aide pour les frais de santé (essai)", "Combien ça coûte ?", "Source\u00a0: Service-Public.gouv.fr / DILA", "Mis à jour le 1er novembre 2026") {
			if !slices.ContainsFunc(b.Tickets[n].Blocks, func(b printer.Block) bool {
				return b == printer.Block(printer.Text{Text: text}) || b == printer.Block(printer.Text{Text: text, Bold: true}) ||
					b == printer.Block(printer.Heading{Level: 1, Text: text}) || b == printer.Block(printer.Heading{Level: 3, Text: text})
			}) {
				t.Errorf("ticket %d lacks %q: %+v", n, text, b.Tickets[n].Blocks)
			}
		}
	}
}

// realFiches is the folder of real fiches.
func realFiches(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("PARVIS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "fiches")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real fiches to read (set PARVIS_DATA): %v", err)
	}
	return dir
}

// library opens one real fiche by itself, since the folder holds some twice.
func library(t testing.TB, file string) *fiche.Library {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(realFiches(t), file))
	if err != nil {
		t.Fatal(err)
	}
	l, err := fiche.Open(fstest.MapFS{file: {Data: doc}})
	if err != nil || len(l.Problems()) > 0 {
		t.Fatal(err, l.Problems())
	}
	return l
}

// Every choice of every page of every real fiche leads to a page that says
// something, in words the glass can set; all of the text is on one of them,
// every code is one and every ticket prints.
func TestRealFiches(t *testing.T) {
	b := journeytest.New(t)
	files, err := filepath.Glob(filepath.Join(realFiches(t), "F*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			l := library(t, filepath.Base(file))
			b.Fiches.Store(l)
			f, _ := l.Get(l.Search("")[0].ID)
			seen := walk(t, b, f.ID)
			for i, s := range f.Sections {
				if s.Kind != fiche.Body && s.Kind != fiche.Help && s.Kind != fiche.Online {
					continue
				}
				for _, block := range s.Blocks {
					for _, text := range blockTexts(block) {
						if !slices.ContainsFunc(seen, func(p page.Page) bool { return follows(tokens(reading(p)), tokens(text)) }) {
							t.Errorf("section %d: no page says %q", i, text)
						}
					}
				}
			}
			t.Logf("%d sections, %d pages", len(f.Sections), len(seen))
		})
	}
}

// walk goes wherever the choices of a fiche's pages lead, and returns the pages.
func walk(t *testing.T, b *journeytest.Borne, id string) []page.Page {
	t.Helper()
	var pages []page.Page
	done := map[visit.Step]bool{}
	for todo := []*visit.Visit{on(id)}; len(todo) > 0; todo = todo[1:] {
		v := todo[0]
		if done[v.Here()] {
			continue
		}
		done[v.Here()] = true
		p := b.Page(t.Context(), v)
		pages = append(pages, p)
		checkFichePage(t, p, v.Here())
		for _, part := range p.Reading() {
			if part.Choice == nil || part.Choice.Disabled() || part.Block == -3 {
				continue
			}
			w := on(id)
			w.Path = slices.Clone(v.Path)
			task := b.Journey.Choose(t.Context(), w, part.Choice.ID)
			if part.Choice.ID == "print" {
				task.Run(t.Context())
				if _, err := escpos.Encode(b.Tickets[len(b.Tickets)-1]); err != nil {
					t.Errorf("%v: the ticket: %v", v.Here(), err)
				}
			} else if w.Here() == v.Here() {
				t.Errorf("%v: %s leads nowhere", v.Here(), part.Choice.ID)
			}
			todo = append(todo, w)
		}
	}
	return pages
}

func checkFichePage(t *testing.T, p page.Page, at visit.Step) {
	t.Helper()
	says := 0
	for _, part := range p.Reading() {
		if strings.ContainsAny(part.Text, "\n\r\u0085\u2028\u2029") {
			t.Errorf("%v: the glass has no line feeds: %q", at, part.Text)
		}
		if part.Block >= 0 && !strings.HasPrefix(part.Text, "Source") {
			says++
		}
		if part.Choice != nil && part.Choice.Label == "" {
			t.Errorf("%v: a choice without a label: %+v", at, part.Choice)
		}
	}
	if says == 0 || p.Title == "" || p.Title == "Cette fiche n’est plus là" {
		t.Errorf("%v: nothing on the page %q", at, p.Title)
	}
	for _, block := range p.Blocks {
		if qr, ok := block.(page.QR); ok {
			code, err := qrcode.New(qr.Data, qrcode.Medium)
			if err != nil || code.VersionNumber > 13 || qr.Caption == "" {
				t.Errorf("%v: the code of %q under %q: %v", at, qr.Data, qr.Caption, err)
			}
		}
	}
}

func reading(p page.Page) string {
	var texts []string
	for _, part := range p.Reading() {
		texts = append(texts, part.Text)
	}
	return strings.Join(texts, "\n")
}

func blockTexts(block fiche.Block) []string {
	switch b := block.(type) {
	case fiche.Paragraph:
		return []string{b.Text}
	case fiche.Heading:
		return []string{b.Text}
	case fiche.List:
		return []string{strings.Join(b.Items, "\n")}
	case fiche.Notice:
		return []string{b.Title, b.Text}
	case fiche.Table:
		texts := []string{b.Title}
		for _, row := range b.Rows {
			texts = append(texts, row...)
		}
		return texts
	case fiche.Picture:
		return []string{b.Title, b.Caption, b.Text, b.Alt, b.Credit}
	case fiche.Office:
		return []string{b.Title, b.Text, b.Source}
	case fiche.Service:
		return []string{b.Title, b.Kind, b.Cerfa, b.Text, b.Source}
	case fiche.Link:
		return []string{b.Text, b.Note}
	case fiche.Definition:
		return []string{b.Term, b.Text}
	}
	return []string{fmt.Sprintf("a block of a new kind: %T", block)}
}

func tokens(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// follows says whether words stand in a text in their order.
func follows(text, words []string) bool {
	for _, t := range text {
		if len(words) > 0 && t == words[0] {
			words = words[1:]
		}
	}
	return len(words) == 0
}

// Turning a page of a long fiche, which is read from its file each time.
func BenchmarkTurnFiche(b *testing.B) {
	borne := journeytest.New(b)
	borne.Fiches.Store(library(b, "F2918_3.4.xml"))
	v := on("F2918")
	borne.Choose(b, v, "part:/0")
	for i := 0; b.Loop(); i++ {
		borne.Journey.Choose(b.Context(), v, []string{"next", "previous"}[i%2])
		borne.Page(b.Context(), v)
	}
}
