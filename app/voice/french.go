package voice

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// inFull says abbreviations, and the words espeak-ng reads wrongly, wherever
// they stand as a word of their own.
var inFull = map[string]string{
	"Mme": "madame", "Mmes": "mesdames", "Mlle": "mademoiselle", "MM.": "messieurs", "Dr": "docteur",
	"tél.": "téléphone", "Tél.": "téléphone", "etc.": "et cetera", "p. ex.": "par exemple", "ex.": "exemple",
	"c.-à-d.": "c'est-à-dire", "env.": "environ", "rdv": "rendez-vous", "RDV": "rendez-vous",
	"av.": "avenue", "Av.": "avenue", "bd": "boulevard", "Bd": "boulevard", "BD": "boulevard",
	// as the national address file has streets
	"PL": "place", "RTE": "route", "CHE": "chemin", "AV": "avenue", "IMP": "impasse", "ALL": "allée", "SQ": "square", "LD": "lieu-dit",
	"St": "saint", "ST": "saint", "Ste": "sainte", "STE": "sainte",
	"wifi": "Wi-Fi", "WiFi": "Wi-Fi", "Wifi": "Wi-Fi", "WIFI": "Wi-Fi", "wi-fi": "Wi-Fi", "WI-FI": "Wi-Fi",
	"Ameli": "améli", "ameli": "améli", "INSEE": "inssé", "Insee": "inssé",
	"7j/7": "7 jours sur 7", "7 j/7": "7 jours sur 7",
	"24h/24": "24 heures sur 24", "24 h/24": "24 heures sur 24",
}

// spelt are the sigles said letter by letter though they hold a vowel and
// could pass for words, as CAF, CROUS and URSSAF do.
var spelt = []string{
	"AAH", "AEEH", "AESH", "ALF", "ALS", "AME", "ANTS", "APA", "APL", "ARE", "ARS", "ASE", "CCAS", "CDI", "CIAS", "CNI",
	"CPAM", "DGFIP", "EPN", "FAQ", "ID", "MSA", "NIR", "PMI", "QR", "RATP", "RSA", "TVA", "USB", "ALSH", "IRM", "ADIL", "ASPA",
}

// A unit is said in full after a number: one form below two, another above.
type unit struct {
	one, many string
	feminine  bool
}

var units = map[string]unit{
	"h": {"heure", "heures", true}, "min": {"minute", "minutes", true}, "j": {"jour", "jours", false},
	"km": {"kilomètre", "kilomètres", false}, "m": {"mètre", "mètres", false}, "cm": {"centimètre", "centimètres", false},
	"km/h": {"kilomètre par heure", "kilomètres par heure", false}, "m²": {"mètre carré", "mètres carrés", false},
	"kg": {"kilogramme", "kilogrammes", false},
	"Mo": {"mégaoctet", "mégaoctets", false}, "Go": {"gigaoctet", "gigaoctets", false},
	"%": {"pour cent", "pour cent", false},
}

const (
	amount = `(\d+(?: \d{3})*)(?:,(\d+))?`
	clock  = `(?: ?h(?: ?\d\d)?|:\d\d)` // what makes a number a time
)

var frenchRules = []rule{
	{regexp.MustCompile(`(\d{1,2})/(\d{1,2})/(\d{4})`), frenchDate},
	{regexp.MustCompile(`(\d+` + clock + `?) ?[–—] ?(\d+` + clock + `?)`), frenchRange},
	{regexp.MustCompile(`(\d+` + clock + `) ?- ?(\d+` + clock + `)`), frenchRange},
	{either(slices.Collect(maps.Keys(inFull))), func(m []string) string { return inFull[m[0]] }},
	{regexp.MustCompile(`[nN][°º](s?) ?`), func(m []string) string { return "numéro" + m[1] + " " }},
	{regexp.MustCompile(`M\.( +\p{Lu}\pL*)`), func(m []string) string { return "monsieur" + m[1] }},
	{regexp.MustCompile(`(\d{1,2})(?: ?h ?|:)([0-5]\d)`), frenchTime},
	{regexp.MustCompile(`1(?:er|re|ère)(s?)`), frenchFirst},
	{regexp.MustCompile(`(\d{1,3})(?:e|ème|ième)(s?)`), frenchOrdinal},
	{regexp.MustCompile(amount + ` ?€(?:/(\pL+))?`), frenchSum},
	{regexp.MustCompile(`€`), func([]string) string { return "euros" }},
	{regexp.MustCompile(amount + ` ?(` + alternatives(slices.Collect(maps.Keys(units))) + `)`), frenchQuantity},
	{regexp.MustCompile(`\d+(?: ?/ ?\d+)+`), func(m []string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(m[0], "/", " sur ")), " ")
	}},
	{regexp.MustCompile(`((?i:numéro|appelez|appeler|composez|au|le)) (3\d)(\d\d)`), frenchShortNumber},
	{regexp.MustCompile(`(?:\p{Lu}\.){2,}`), letters},
	{regexp.MustCompile(`[B-DF-HJ-NP-TV-XZ]{2,6}`), letters}, // no vowel: no word
	{either(spelt), letters},
}

var months = [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

func frenchDate(m []string) string {
	day, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	if day < 1 || day > 31 || month < 1 || month > 12 {
		return m[0]
	}
	first := strconv.Itoa(day)
	if day == 1 {
		first = "premier"
	}
	return first + " " + months[month-1] + " " + m[3]
}

func frenchRange(m []string) string { return m[1] + " à " + m[2] }

// frenchTime says an hour and its minutes: "14 heures 30", "une heure".
func frenchTime(m []string) string {
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	said := count(strconv.Itoa(hour), units["h"])
	if minute > 0 {
		said += " " + feminine(strconv.Itoa(minute))
	}
	return said
}

func frenchFirst(m []string) string {
	if strings.HasPrefix(m[0], "1er") {
		return "premier" + m[1]
	}
	return "première" + m[1]
}

var ordinals = [21]string{2: "deuxième", "troisième", "quatrième", "cinquième", "sixième", "septième", "huitième",
	"neuvième", "dixième", "onzième", "douzième", "treizième", "quatorzième", "quinzième", "seizième",
	"dix-septième", "dix-huitième", "dix-neuvième", "vingtième"}

func frenchOrdinal(m []string) string {
	n, _ := strconv.Atoi(m[1])
	if n < len(ordinals) && ordinals[n] != "" {
		return ordinals[n] + m[2]
	}
	return m[1] + "ème" + m[2]
}

// frenchSum says a price: "25 euros 50", "50 centimes", "10 euros par mois".
func frenchSum(m []string) string {
	euros, cents := strings.ReplaceAll(m[1], " ", ""), m[2]
	if len(cents) == 1 {
		cents += "0"
	}
	cents = strings.TrimLeft(cents, "0")
	said := count(euros, unit{"euro", "euros", false})
	switch {
	case cents != "" && euros == "0":
		said = count(cents, unit{"centime", "centimes", false})
	case cents != "":
		said += " " + cents
	}
	if m[3] != "" {
		said += " par " + m[3]
	}
	return said
}

func frenchQuantity(m []string) string {
	n := strings.ReplaceAll(m[1], " ", "")
	if m[2] == "" {
		return count(n, units[m[3]])
	}
	u := units[m[3]]
	if n == "0" || n == "1" {
		return n + "," + m[2] + " " + u.one
	}
	return n + "," + m[2] + " " + u.many
}

// count says a whole number with its unit.
func count(n string, u unit) string {
	if u.feminine {
		return feminine(n) + " " + u.form(n)
	}
	return n + " " + u.form(n)
}

func (u unit) form(n string) string {
	if n == "0" || n == "1" {
		return u.one
	}
	return u.many
}

// feminine says a number before a feminine noun: espeak-ng would say "vingt et
// un heures".
func feminine(n string) string {
	switch n {
	case "1":
		return "une"
	case "21":
		return "vingt-et-une"
	case "31":
		return "trente-et-une"
	case "41":
		return "quarante-et-une"
	case "51":
		return "cinquante-et-une"
	}
	return n
}

// frenchShortNumber says 3949 or 3646 as it is dialled.
func frenchShortNumber(m []string) string {
	return m[1] + " " + m[2] + ", " + frenchWords.pair(m[3])
}
