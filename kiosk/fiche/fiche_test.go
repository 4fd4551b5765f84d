package fiche_test

import (
	"encoding/xml"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"parvis/kiosk/fiche"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F1" type="Fiche d'information" spUrl="https://www.service-public.gouv.fr/particuliers/vosdroits/F1">
<dc:title>Un titre</dc:title><dc:subject>Un sujet</dc:subject><dc:date>modified 2024-11-01</dc:date>
<Audience>Particuliers</Audience><Theme ID="N1"><Titre>Un thème</Titre></Theme>
`

func document(body string) string { return head + body + "</Publication>" }

func parse(t *testing.T, body string) *fiche.Fiche {
	t.Helper()
	f, err := fiche.Parse(strings.NewReader(document(body)))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return f
}

func TestHead(t *testing.T) {
	f := parse(t, "")
	if f.ID != "F1" || f.Title != "Un titre" || f.Subject != "Un sujet" || f.Source != fiche.Source || len(f.Sections) != 0 ||
		f.URL != "https://www.service-public.gouv.fr/particuliers/vosdroits/F1" || f.Updated.Format("2006-01-02") != "2024-11-01" {
		t.Errorf("%+v", f)
	}
}

func TestURLOfOlderSchemas(t *testing.T) {
	for audience, want := range map[string]string{
		"<Audience>Particuliers</Audience>":                                  "https://www.service-public.gouv.fr/particuliers/vosdroits/F1",
		"<Audience>Associations</Audience><Audience>Particuliers</Audience>": "https://www.service-public.gouv.fr/particuliers/vosdroits/F1",
		"<Audience>Associations</Audience>":                                  "https://www.service-public.gouv.fr/associations/vosdroits/F1",
		"<Audience>Professionnels</Audience>":                                "https://entreprendre.service-public.gouv.fr/vosdroits/F1",
	} {
		doc := `<Publication ID="F1" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title><dc:date>modified 2019-01-24</dc:date>` + audience + `</Publication>`
		f, err := fiche.Parse(strings.NewReader(doc))
		if err != nil || f.URL != want {
			t.Errorf("%s: %v, %v", audience, f, err)
		}
	}
}

// Each kind of element becomes its block.
func TestBlocks(t *testing.T) {
	const p = "<Paragraphe>"
	const q = "</Paragraphe>"
	tests := []struct {
		name, body string
		want       []fiche.Block
	}{
		{"paragraph with inline elements", `<Texte><Paragraphe>L’année de 3<Exposant>e</Exposant> coûte <Valeur>86 €</Valeur>, <MiseEnEvidence>pas <Expression>plus</Expression></MiseEnEvidence>.</Paragraphe></Texte>`,
			[]fiche.Block{fiche.Paragraph{"L’année de 3e coûte 86\u00a0€, pas plus."}}},
		{"raised figures", p + `30 m<Exposant>2</Exposant> et 10<Exposant>12</Exposant>, CO<Indice>2</Indice>` + q,
			[]fiche.Block{fiche.Paragraph{"30 m² et 10¹², CO2"}}},
		{"white space of an indented file", p + "\n\t(\n  <LienInterne LienPublication=\"R1\">CDI</LienInterne>\n  ,\n  <LienInterne LienPublication=\"R2\">CDD</LienInterne>\n  ou  intérim\n ) l'\n <Valeur>an</Valeur>\n.\n" + q,
			[]fiche.Block{fiche.Paragraph{"(CDI, CDD ou intérim) l'an."}}},
		{"no-break spaces stay, but not at the end", p + "à 1\u202f801,80\u00a0€\u00a0: oui\u00a0?\u00a0" + q,
			[]fiche.Block{fiche.Paragraph{"à 1\u202f801,80\u00a0€\u00a0: oui\u00a0?"}}},
		{"a blank before a sign that was meant stays", p + "de 3 à .5 et (a )" + q,
			[]fiche.Block{fiche.Paragraph{"de 3 à .5 et (a )"}}},
		{"references and sections of characters", p + `A &amp; B &#233; <![CDATA[<C>]]><!-- non -->` + q,
			[]fiche.Block{fiche.Paragraph{"A & B é <C>"}}},
		{"empty paragraphs vanish", p + " \u00a0 " + q + "<Texte/>" + p + q, nil},
		{"list", `<Liste type="puce"><Item>` + p + "un" + q + p + "suite" + q + `</Item><Item>` + p + "deux" + q + `<Liste type="numero"><Item>` + p + "a" + q + `</Item><Item>` + p + "b" + q + `</Item></Liste></Item><Item/></Liste>`,
			[]fiche.Block{fiche.List{Items: []string{"un\nsuite", "deux\n1. a\n2. b"}}}},
		{"numbered list", `<Liste type="numero"><Item>` + p + "un" + q + `</Item></Liste>`,
			[]fiche.Block{fiche.List{Style: fiche.Numbered, Items: []string{"un"}}}},
		{"list to tick", `<Liste type="caseACocher"><Item>` + p + "un" + q + `</Item></Liste>`,
			[]fiche.Block{fiche.List{Style: fiche.Checklist, Items: []string{"un"}}}},
		{"papers to bring", `<Chapitre type="pieces"><Liste type="puce"><Item>` + p + "un" + q + `</Item></Liste></Chapitre>`,
			[]fiche.Block{fiche.List{Style: fiche.Checklist, Items: []string{"un"}}}},
		{"notices", "<ANoter><Titre>À noter</Titre>" + p + "un" + q + p + "deux" + q + "</ANoter><ASavoir><Titre>Info</Titre>" + p + "x" + q + "</ASavoir><Attention>" + p + "trois" + q +
			"<Liste type='puce'><Item>" + p + "quatre" + q + "</Item></Liste></Attention><Rappel>" + p + "r" + q + "</Rappel><Exemple>" + p + "e" + q + "</Exemple><Consigne>" + p + "c" + q + "</Consigne><Rappel/>",
			[]fiche.Block{fiche.Notice{fiche.Note, "À noter", "un\ndeux"}, fiche.Notice{fiche.Know, "Info", "x"}, fiche.Notice{fiche.Beware, "Attention", "trois\n– quatre"},
				fiche.Notice{fiche.Remind, "Rappel", "r"}, fiche.Notice{fiche.Example, "Exemple", "e"}, fiche.Notice{fiche.Follow, "Consigne", "c"}}},
		{"warning about the fiche", `<Avertissement ID="R1" date="2024-07-19"><Titre>La loi change</Titre><Texte>` + p + "bientôt" + q + `</Texte></Avertissement>`,
			[]fiche.Block{fiche.Notice{fiche.Warning, "La loi change", "bientôt"}}},
		{"table", `<Tableau><Titre>Prix</Titre><Colonne largeur="50"/><Rangée type="header"><Cellule>` + p + "Âge" + q + `</Cellule><Cellule>` + p + "Prix" + q + `</Cellule></Rangée>
			<Rangée type="normal"><Cellule>` + p + "18 ans" + q + `</Cellule><Cellule>` + p + "86 €" + q + p + "ou 42 €" + q + `</Cellule></Rangée><Rangée><Cellule/></Rangée></Tableau>`,
			[]fiche.Block{fiche.Table{Title: "Prix", Header: true, Rows: [][]string{{"Âge", "Prix"}, {"18 ans", "86 €\nou 42 €"}, {"", ""}}}}},
		{"merged cells are repeated", `<Tableau><Rangée><Cellule fusionVerticale="3">` + p + "a" + q + `</Cellule><Cellule fusionHorizontale="2">` + p + "b" + q + `</Cellule></Rangée>
			<Rangée><Cellule>` + p + "c" + q + `</Cellule><Cellule>` + p + "d" + q + `</Cellule></Rangée><Rangée><Cellule>` + p + "e" + q + `</Cellule></Rangée><Rangée><Cellule>` + p + "f" + q + `</Cellule></Rangée></Tableau>`,
			[]fiche.Block{fiche.Table{Rows: [][]string{{"a", "b", "b"}, {"a", "c", "d"}, {"a", "e", ""}, {"f", "", ""}}}}},
		{"a table too wide keeps its cells", `<Tableau><Rangée>` + strings.Repeat("<Cellule>"+p+"a"+q+"</Cellule>", 22) + `</Rangée></Tableau>`,
			[]fiche.Block{fiche.Table{Rows: [][]string{append(slices.Repeat([]string{"a"}, 19), "a\na\na")}}}},
		{"picture", `<Image LienPublication="I1.jpg"><Titre>T</Titre><Legende>L</Legende><Credits>` + p + "C" + q + `</Credits><TexteDeRemplacement>A</TexteDeRemplacement><Description>` + p + "un" + q + p + "deux" + q + `</Description></Image>`,
			[]fiche.Block{fiche.Picture{Title: "T", Caption: "L", Text: "un\ndeux", Alt: "A", Credit: "C"}}},
		{"film", `<Video URL="https://exemple.fr/v"><Titre>T</Titre></Video>`, []fiche.Block{fiche.Picture{Title: "T", URL: "https://exemple.fr/v"}}},
		{"headings", `<Texte><TitreFlottant>` + p + "Un" + q + `</TitreFlottant>` + p + "x" + q + `</Texte>`, []fiche.Block{fiche.Heading{"Un"}, fiche.Paragraph{"x"}}},
		{"link by itself", `<Texte><LienExterne URL="https://exemple.fr/">Site</LienExterne></Texte>`, []fiche.Block{fiche.Link{Text: "Site", URL: "https://exemple.fr/"}}},
		{"unknown elements", "<Nouveau><Titre>T</Titre>" + p + "un" + q + "<Autre>deux</Autre> trois <Encore>quatre</Encore></Nouveau>" + p + "a<Neuf>b</Neuf>c" + q,
			[]fiche.Block{fiche.Heading{"T"}, fiche.Paragraph{"un"}, fiche.Paragraph{"deux trois quatre"}, fiche.Paragraph{"abc"}}},
		{"blocks in a sentence", p + "a" + p + "b" + q + "c" + q, []fiche.Block{fiche.Paragraph{"a"}, fiche.Paragraph{"b"}, fiche.Paragraph{"c"}}},
		{"conditions are not text", "<Texte><Condition><estVrai var='x'>x</estVrai></Condition>" + p + "a" + q + "</Texte>", []fiche.Block{fiche.Paragraph{"a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, tt.body)
			var got []fiche.Block
			for _, s := range f.Sections {
				got = append(got, s.Blocks...)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %#v\nwant %#v", got, tt.want)
			}
			if len(f.Sections) > 1 {
				t.Errorf("%d sections", len(f.Sections))
			}
		})
	}
}

// What stands at the end of a fiche is gathered by kind, under a title of ours.
func TestEndings(t *testing.T) {
	f := parse(t, `
<QuiPeutMAider ID="R1"><Titre>Mairie</Titre><Complement>Pour la carte</Complement><PivotLocal>mairie</PivotLocal><RessourceWeb URL="https://exemple.fr/m"/><Source ID="R2">Ministère</Source></QuiPeutMAider>
<Reference URL="https://exemple.fr/loi" ID="R3"><Titre>Code civil</Titre><Complement>Preuve</Complement></Reference>
<ServiceEnLigne ID="R4" URL="https://exemple.fr/s" type="Formulaire" numerocerfa="10103*12"><Titre>Demande</Titre><Source ID="R2">Ministère</Source><Introduction><Texte><Paragraphe>Pour demander.</Paragraphe></Texte></Introduction><NoticeLiee ID="R5" URL="https://exemple.fr/n">Notice</NoticeLiee></ServiceEnLigne>
<Reference URL="javascript:alert(1)" ID="R6"><Titre>Décret</Titre></Reference>
<PourEnSavoirPlus URL="https://exemple.fr/p" ID="R7"><Titre>Guide</Titre><Source>Dila</Source></PourEnSavoirPlus>
<VoirAussi important="non"><Fiche ID="F2"><Titre>Passeport</Titre><Theme ID="N1"><Titre>Papiers</Titre></Theme></Fiche></VoirAussi>
<Definition ID="R8"><Titre>Ascendant</Titre><Texte><Paragraphe>Parent, grand-parent</Paragraphe></Texte></Definition>
<Abreviation ID="R9"><Titre>CDI</Titre><Texte><Paragraphe>Contrat à durée indéterminée</Paragraphe></Texte></Abreviation>
<QuestionReponse ID="F3">Qui paie ?</QuestionReponse><QuestionReponse ID="F4"><Titre>Et après ?</Titre></QuestionReponse>`)
	want := []fiche.Section{
		{Kind: fiche.Help, Title: "Qui peut m’aider\u00a0?", Blocks: []fiche.Block{fiche.Office{Title: "Mairie", Text: "Pour la carte", Source: "Ministère", Local: "mairie", URL: "https://exemple.fr/m"}}},
		{Kind: fiche.References, Title: "Textes de loi et références", Blocks: []fiche.Block{fiche.Link{Text: "Code civil", Note: "Preuve", ID: "R3", URL: "https://exemple.fr/loi"}, fiche.Link{Text: "Décret", ID: "R6"}}},
		{Kind: fiche.Online, Title: "Services en ligne et formulaires", Blocks: []fiche.Block{
			fiche.Service{ID: "R4", Kind: "Formulaire", Title: "Demande", Text: "Pour demander.", Source: "Ministère", Cerfa: "10103*12", URL: "https://exemple.fr/s"},
			fiche.Link{Text: "Notice", ID: "R5", URL: "https://exemple.fr/n"}}},
		{Kind: fiche.More, Title: "Pour en savoir plus", Blocks: []fiche.Block{fiche.Link{Text: "Guide", Note: "Dila", ID: "R7", URL: "https://exemple.fr/p"}}},
		{Kind: fiche.Related, Title: "Voir aussi", Blocks: []fiche.Block{fiche.Link{Text: "Passeport", Note: "Papiers", ID: "F2"}, fiche.Link{Text: "Qui paie ?", ID: "F3"}, fiche.Link{Text: "Et après ?", ID: "F4"}}},
		{Kind: fiche.Glossary, Title: "Définitions", Blocks: []fiche.Block{fiche.Definition{"R8", "Ascendant", "Parent, grand-parent"}, fiche.Definition{"R9", "CDI", "Contrat à durée indéterminée"}}},
	}
	if !reflect.DeepEqual(f.Sections, want) {
		t.Errorf("got  %+v\nwant %+v", f.Sections, want)
	}
	if d, ok := f.Definition("R9"); !ok || d.Term != "CDI" {
		t.Errorf("Definition(R9) = %v, %v", d, ok)
	}
	if d, ok := f.Definition("R3"); ok {
		t.Errorf("Definition(R3) = %v", d)
	}
}

// outline is the sections without what they hold, one a line.
func outline(f *fiche.Fiche) []string {
	var lines []string
	for _, s := range f.Sections {
		line := strings.Join(append(slices.Clone(s.Chapters), s.Title), " > ")
		if len(s.Cases) > 0 {
			line += " [" + strings.Join(s.Cases, " > ") + "]"
		}
		for _, b := range s.Blocks {
			if p, ok := b.(fiche.Paragraph); ok {
				line += " " + p.Text
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestSections(t *testing.T) {
	const cases = `<BlocCas affichage="radio"><Cas><Titre>Cas 1</Titre><Introduction><Paragraphe>i</Paragraphe></Introduction>
		<BlocCas affichage="onglet"><Cas><Titre><Paragraphe>Cas A</Paragraphe></Titre><Paragraphe>a</Paragraphe></Cas><Cas><Paragraphe>b</Paragraphe></Cas></BlocCas><Paragraphe>j</Paragraphe></Cas>
		<Cas><Titre>Vide</Titre></Cas></BlocCas>`
	tests := []struct {
		name, body string
		want       []string
	}{
		{"before and between chapters", "<Introduction><Texte><Paragraphe>a</Paragraphe></Texte></Introduction><Texte><Paragraphe>b</Paragraphe><Chapitre><Titre><Paragraphe>C</Paragraphe></Titre><Paragraphe>c</Paragraphe></Chapitre><Paragraphe>d</Paragraphe></Texte>",
			[]string{" a b", "C c", " d"}},
		{"chapters within chapters", "<Texte><Chapitre><Titre>C</Titre><SousChapitre><Titre>S</Titre><Paragraphe>s</Paragraphe><SousChapitre><Titre>T</Titre><Paragraphe>t</Paragraphe></SousChapitre></SousChapitre><SousChapitre><Paragraphe>u</Paragraphe></SousChapitre><Paragraphe>c</Paragraphe></Chapitre></Texte>",
			[]string{"C > S s", "C > S > T t", "C u", "C c"}},
		{"a title and nothing else", "<Texte><Chapitre><Titre>C</Titre></Chapitre></Texte>", []string{"C"}},
		{"cases", "<Texte><Chapitre><Titre>C</Titre><Paragraphe>x</Paragraphe>" + cases + "<Paragraphe>y</Paragraphe></Chapitre></Texte>",
			[]string{"C x", "C [Cas 1] i", "C [Cas 1 > Cas A] a", "C [Cas 1 > Cas 2] b", "C [Cas 1] j", "C [Vide]", "C y"}},
		{"situations", "<ListeSituations affichage='onglet'><Titre>Qui êtes-vous ?</Titre><Situation><Titre>Majeur</Titre><Texte><Chapitre><Titre>C</Titre><BlocCas><Cas><Titre>Seul</Titre><Paragraphe>x</Paragraphe></Cas></BlocCas></Chapitre></Texte></Situation><Situation><Titre>Mineur</Titre><Texte><Paragraphe>y</Paragraphe></Texte></Situation></ListeSituations><Conclusion><Paragraphe>z</Paragraphe></Conclusion>",
			[]string{"", "C [Majeur > Seul] x", " [Mineur] y", " z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outline(parse(t, tt.body)); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// The links of words are listed with their section, each once.
func TestLinks(t *testing.T) {
	f := parse(t, `<Texte><Chapitre><Titre><Paragraphe>Le <LienIntra LienID="R1">préavis</LienIntra></Paragraphe></Titre>
<Paragraphe>Un <LienInterne LienPublication="F2">congé</LienInterne>, un <LienExterne URL="https://exemple.fr/">site <LienInterne LienPublication="F4">sûr</LienInterne></LienExterne>.</Paragraphe>
<Liste><Item><Paragraphe>un <LienInterne LienPublication="F2">congé</LienInterne></Paragraphe><ServiceEnLigne ID="R3" URL="https://exemple.fr/s"><Titre>Demande</Titre></ServiceEnLigne></Item></Liste>
</Chapitre><Chapitre><Titre>B</Titre><Paragraphe>le <LienExterne URL="ftp://exemple.fr">lien</LienExterne></Paragraphe></Chapitre></Texte>`)
	want := []fiche.Link{{Text: "préavis", ID: "R1"}, {Text: "congé", ID: "F2"}, {Text: "site sûr", URL: "https://exemple.fr/"}, {Text: "Demande", ID: "R3", URL: "https://exemple.fr/s"}}
	if got := f.Sections[0].Links; !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := f.Sections[1].Links; len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200)
	tests := []struct {
		name, doc string
		line      int
		reason    string
	}{
		{"empty", "", 1, "vide"},
		{"not XML", "bonjour", 1, "hors de l’élément"},
		{"cut short", head + "<Texte>\n<Paragraphe>a", 6, "s’arrête avant sa fin"},
		{"closed by another", head + "<Texte><Paragraphe>a</Texte>", 5, "l’élément Paragraphe est fermé par Texte"},
		{"closed too often", document("") + "\n</Texte>", 6, "n’a pas de début : </Texte>"},
		{"two documents", document("") + "\n<Publication/>", 6, "second document"},
		{"not UTF-8", head + "\xe9", 5, "UTF-8"},
		{"another encoding", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, 1, "encodage « ISO-8859-1 »"},
		{"entity of its own", `<!DOCTYPE Publication [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + "\n" + `<Publication ID="F1">&x;</Publication>`, 2, "entité inconnue : &x;"},
		{"too deep", document(deep), 5, "emboîtés"},
		{"too many elements", document(strings.Repeat("<a/>", 200_001)), 5, "éléments"},
		{"too large", document("<a>" + strings.Repeat("a", 4<<20) + "</a>"), 5, "4 Mio"},
		{"another root", "\n<Flux/>", 2, "élément Flux au lieu de Publication"},
		{"no id", "<Publication/>", 1, "ID"},
		{"an id that is a path", `<Publication ID="../F1"/>`, 1, "ID"},
		{"no title", `<Publication ID="F1"/>`, 1, "dc:title"},
		{"no date", strings.Replace(document(""), "<dc:date>modified 2024-11-01</dc:date>", "", 1), 2, "dc:date"},
		{"no such date", strings.Replace(document(""), "2024-11-01", "2024-11-31", 1), 3, "dc:date : « modified 2024-11-31 »"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := fiche.Parse(strings.NewReader(tt.doc))
			var p fiche.Problem
			if f != nil || !errors.As(err, &p) {
				t.Fatalf("got %v, %v", f, err)
			}
			if p.Line != tt.line || !strings.Contains(p.Reason, tt.reason) {
				t.Errorf("got %v", p)
			}
		})
	}
}

// realFiches are the real fiches, with what a reader must find in them.
var realFiches = map[string]struct {
	id, title, date string
	body, all       int // sections
}{
	"F2614_3.0.xml": {"F2614", "Arrêt maladie pendant le préavis\u00a0: quelles conséquences ?", "2019-10-09", 3, 4},
	"F2614_3.3.xml": {"F2614", "Arrêt maladie pendant le préavis : quelles conséquences ?", "2021-04-06", 3, 5},
	"F2883_3.0.xml": {"F2883", "Démission d'un salarié", "2019-01-24", 50, 54},
	"F2883_3.3.xml": {"F2883", "Démission d'un salarié", "2022-11-29", 55, 59},
	"F2918_3.3.xml": {"F2918", "Contrat d'apprentissage", "2024-11-01", 52, 58},
	"F2918_3.4.xml": {"F2918", "Contrat d'apprentissage", "2024-11-01", 52, 58},
	"F766_3.3.xml":  {"F766", "Chèque-emploi associatif (CEA)", "2022-12-26", 5, 9},
}

// data is the folder of real fiches.
func data(t testing.TB) string {
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

func TestRealFiches(t *testing.T) {
	dir := data(t)
	for file, want := range realFiches {
		t.Run(file, func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			f, err := fiche.Parse(strings.NewReader(string(doc)))
			if err != nil {
				t.Fatal(err)
			}
			body := 0
			for _, s := range f.Sections {
				if s.Kind == fiche.Body {
					body++
				}
				for _, l := range s.Links {
					if !contains(f, l.Text) {
						t.Errorf("link %q is not in the text", l.Text)
					}
				}
			}
			if f.ID != want.id || f.Title != want.title || f.Updated.Format("2006-01-02") != want.date || body != want.body || len(f.Sections) != want.all {
				t.Errorf("got %s %q %v, %d sections, %d in all", f.ID, f.Title, f.Updated, body, len(f.Sections))
			}
			if !strings.HasSuffix(f.URL, "/vosdroits/"+want.id) {
				t.Errorf("URL %s", f.URL)
			}
			source, read := sourceWords(t, doc), readWords(f)
			for w := range maps.Keys(source) {
				if source[w] > read[w] {
					t.Errorf("%q: %d in the file, %d read", w, source[w], read[w])
				}
			}
			for w := range maps.Keys(read) {
				if read[w] > source[w] {
					t.Errorf("%q: %d read, %d in the file", w, read[w], source[w])
				}
			}
		})
	}
}

func contains(f *fiche.Fiche, text string) bool {
	for _, s := range f.Sections {
		for _, b := range s.Blocks {
			if slices.ContainsFunc(texts(b), func(t string) bool { return strings.Contains(t, text) }) {
				return true
			}
		}
	}
	return false
}

// sourceWords counts the words of an XML file that its page shows, read
// without the package under test.
func sourceWords(t *testing.T, doc []byte) map[string]int {
	t.Helper()
	around := []string{"SurTitre", "Audience", "Canal", "FilDAriane", "Theme", "SousThemePere", "DossierPere", "SousDossierPere"}
	sentence := []string{"Valeur", "Indice", "Exposant", "LienExterne", "LienInterne", "LienIntra", "MiseEnEvidence", "Expression"}
	dec := xml.NewDecoder(strings.NewReader(string(doc)))
	var text strings.Builder
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			break
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Space != "" || e.Name.Local == "PivotLocal" || depth == 1 && slices.Contains(around, e.Name.Local) {
				if err := dec.Skip(); err != nil {
					t.Fatal(err)
				}
				continue
			}
			depth++
			if !slices.Contains(sentence, e.Name.Local) {
				text.WriteByte(' ')
			}
		case xml.EndElement:
			depth--
			if !slices.Contains(sentence, e.Name.Local) {
				text.WriteByte(' ')
			}
		case xml.CharData:
			text.Write(e)
		}
	}
	return countWords(text.String())
}

// readWords counts the words of a fiche. Titles of chapters and cases count
// where they begin.
func readWords(f *fiche.Fiche) map[string]int {
	var text []string
	var before fiche.Section
	for _, s := range f.Sections {
		if s.Kind == fiche.Body {
			text = append(text, fresh(append(slices.Clone(before.Chapters), before.Title), append(slices.Clone(s.Chapters), s.Title))...)
			text = append(text, fresh(before.Cases, s.Cases)...)
			before = s
		}
		for _, b := range s.Blocks {
			text = append(text, texts(b)...)
		}
	}
	return countWords(strings.Join(text, " "))
}

// fresh is what a path has that the one before doesn't.
func fresh(before, path []string) []string {
	i := 0
	for i < min(len(before), len(path)) && before[i] == path[i] {
		i++
	}
	return path[i:]
}

// texts is what a page shows of a block.
func texts(b fiche.Block) []string {
	switch b := b.(type) {
	case fiche.Paragraph:
		return []string{b.Text}
	case fiche.Heading:
		return []string{b.Text}
	case fiche.List:
		return b.Items
	case fiche.Notice:
		return []string{b.Title, b.Text}
	case fiche.Table:
		return append(slices.Concat(b.Rows...), b.Title)
	case fiche.Picture:
		return []string{b.Title, b.Caption, b.Text, b.Alt, b.Credit}
	case fiche.Office:
		return []string{b.Title, b.Text, b.Source}
	case fiche.Service:
		return []string{b.Title, b.Text, b.Source}
	case fiche.Link:
		return []string{b.Text, b.Note}
	case fiche.Definition:
		return []string{b.Term, b.Text}
	}
	panic("a block no page can show")
}

func countWords(text string) map[string]int {
	count := map[string]int{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		count[w]++
	}
	return count
}
