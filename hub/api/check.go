package api

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

// The bounds of a report. A field that this hub doesn't know is left out, so
// that a newer borne can say more; one that it knows must make sense.
const (
	runLength   = 8
	mostDevices = 32
	mostFaults  = 32
	mostCounts  = 200 // a report
	mostDays    = 400 // a count may be old
	countBelow  = 1_000_000_000
	nameLength  = 80 // of a device, a key, a fault
	textLength  = 64 // of a version
	whyLength   = 300
	codeLength  = 16
	hottest     = 200 // °C
	mostSkew    = 200 * 365 * 24 * 60 * 60
)

// firstSecond and lastSecond bound every time that a borne tells: what lies outside
// was never read off a clock.
var (
	firstSecond = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// checkReport refuses a report that makes no sense, or whose time is wrong.
// The error says which field, never what was in it.
func checkReport(r *link.Report, now time.Time) *problem {
	switch {
	case len(r.Run) != runLength:
		return invalid("Champ « run » : %d octets attendus.", runLength)
	case r.Seq == 0 || r.Seq > 1<<53:
		return invalid("Champ « seq » : les rapports se comptent à partir de 1.")
	case !plain(r.Version, 1, textLength):
		return invalid("Champ « ver » : 1 à %d caractères sur une ligne attendus.", textLength)
	case !plain(r.Content, 0, textLength):
		return invalid("Champ « content » : %d caractères au plus, sur une ligne.", textLength)
	case !plain(r.Profile, 0, textLength):
		return invalid("Champ « prof » : %d caractères au plus, sur une ligne.", textLength)
	case !plain(r.Tag, 0, textLength):
		return invalid("Champ « tag » : %d caractères au plus, sur une ligne.", textLength)
	case r.Uptime < 0 || r.Uptime > lastSecond:
		return invalid("Champ « up » : nombre de secondes attendu.")
	case r.App != "" && !isWord(string(r.App), nameLength):
		return invalid("Champ « app » : état de l’application attendu.")
	case !percent(r.Disk):
		return invalid("Champ « disk » : pourcentage attendu.")
	case !percent(r.Load):
		return invalid("Champ « load » : pourcentage attendu.")
	case r.Temp < -hottest || r.Temp > hottest:
		return invalid("Champ « temp » : température attendue, en °C.")
	case r.Skew < -mostSkew || r.Skew > mostSkew:
		return invalid("Champ « skew » : nombre de secondes attendu.")
	case r.Waiting < 0 || r.Waiting >= countBelow:
		return invalid("Champ « wait » : nombre de demandes attendu.")
	}
	if p := checkDevices(r.Devices); p != nil {
		return p
	}
	if p := checkFaults(r.Faults); p != nil {
		return p
	}
	if p := checkFailures(r.Failures); p != nil {
		return p
	}
	if p := checkCounts(r.Counts, now); p != nil {
		return p
	}
	// Last: a borne that mends its clock and sends again must then be right.
	if away := now.Sub(time.UnixMilli(r.At)).Abs(); away > link.MaxSkew {
		return wrongClock(now)
	}
	return nil
}

func checkDevices(devices []link.Device) *problem {
	if len(devices) > mostDevices {
		return invalid("Champ « dev » : %d appareils au plus.", mostDevices)
	}
	seen := make(map[string]bool, len(devices))
	for i, d := range devices {
		switch {
		case !isWord(d.Name, nameLength):
			return invalid("Champ « dev[%d].n » : nom d’appareil attendu (a-z, 0-9, « . », « _ », « - »).", i)
		case seen[d.Name]:
			return invalid("Champ « dev[%d].n » : cet appareil y est deux fois.", i)
		case !isWord(string(d.Kind), nameLength):
			return invalid("Champ « dev[%d].k » : sorte d’appareil attendue.", i)
		case d.State != "" && !isWord(string(d.State), nameLength):
			return invalid("Champ « dev[%d].s » : état attendu.", i)
		case d.Paper != "" && !isWord(string(d.Paper), nameLength):
			return invalid("Champ « dev[%d].p » : état du papier attendu.", i)
		case d.Fault != "" && !isWord(string(d.Fault), nameLength):
			return invalid("Champ « dev[%d].f » : panne attendue.", i)
		case !second(d.Since):
			return invalid("Champ « dev[%d].t » : secondes depuis 1970 attendues.", i)
		}
		seen[d.Name] = true
	}
	return nil
}

// mostFailures is how many failures a report may tell.
const mostFailures = 8

func checkFailures(failures []link.Failure) *problem {
	if len(failures) > mostFailures {
		return invalid("Champ « bad » : %d échecs au plus.", mostFailures)
	}
	for _, f := range failures {
		switch {
		case !isWord(f.Kind, nameLength):
			return invalid("Champ « bad » : sorte attendue.")
		case !plain(f.Version, 1, textLength):
			return invalid("Champ « bad » : version de 1 à %d caractères attendue, sur une ligne.", textLength)
		case !plain(f.Why, 0, whyLength):
			return invalid("Champ « bad » : raison de %d caractères au plus, sur une ligne.", whyLength)
		}
	}
	return nil
}

func checkFaults(faults []link.Fault) *problem {
	if len(faults) > mostFaults {
		return invalid("Champ « faults » : %d pannes au plus.", mostFaults)
	}
	seen := make(map[string]bool, len(faults))
	for i, f := range faults {
		switch {
		case !isWord(f.Fault, nameLength):
			return invalid("Champ « faults[%d].f » : panne attendue (a-z, 0-9, « . », « _ », « - »).", i)
		case seen[f.Fault]:
			return invalid("Champ « faults[%d].f » : cette panne y est deux fois.", i)
		case !second(f.Since):
			return invalid("Champ « faults[%d].t » : secondes depuis 1970 attendues.", i)
		}
		seen[f.Fault] = true
	}
	return nil
}

func checkCounts(counts map[string]map[string]int, now time.Time) *problem {
	total := 0
	for day, keys := range counts {
		if p := checkDay(day, now); p != nil {
			return p
		}
		total += len(keys)
		if total > mostCounts {
			return invalid("Champ « n » : %d comptages au plus par rapport.", mostCounts)
		}
		for key, n := range keys {
			switch {
			case !isWord(key, nameLength):
				return invalid("Champ « n » : clé de comptage attendue (a-z, 0-9, « . », « _ », « - »).")
			case n < 0 || n >= countBelow:
				return invalid("Champ « n » : un comptage va de 0 à %d.", countBelow-1)
			}
		}
	}
	return nil
}

// checkDay wants a real date: not later than tomorrow, for bornes east of the
// hub, and not so old that nobody counts it any more.
func checkDay(day string, now time.Time) *problem {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return invalid("Champ « n » : jour attendu, comme « 2026-11-21 ».")
	}
	if t.After(now.UTC().AddDate(0, 0, 1)) {
		return invalid("Champ « n » : un jour est dans l’avenir.")
	}
	if t.Before(now.UTC().AddDate(0, 0, -mostDays-1)) {
		return invalid("Champ « n » : un jour date de plus de %d jours.", mostDays)
	}
	return nil
}

func checkOutcome(o *link.Outcome) *problem {
	switch o.State {
	case link.Done, link.Refused, link.Failed:
	default:
		return invalid("Champ « state » : « done », « refused » ou « failed » attendu.")
	}
	if !plain(o.Why, 0, whyLength) {
		return invalid("Champ « why » : %d caractères au plus, sur une ligne.", whyLength)
	}
	switch o.FileType {
	case "image/png", "image/jpeg", "text/plain":
		if len(o.File) == 0 {
			return invalid("Champ « file » : il est annoncé mais vide.")
		}
	case "":
		if len(o.File) > 0 {
			return invalid("Champ « file_type » : sorte de fichier attendue.")
		}
	default:
		return invalid("Champ « file_type » : image/png, image/jpeg ou text/plain attendu.")
	}
	if len(o.File) > link.MaxFile {
		return tooLarge(link.MaxFile)
	}
	return nil
}

// checkCallback is lenient with the time: a borne whose clock was years off
// when a resident asked must still be rid of the request.
func checkCallback(c *link.Callback) *problem {
	switch {
	case c.Code == "" || len(c.Code) > codeLength || !isCode(c.Code):
		return invalid("Champ « code » : 1 à %d lettres majuscules ou chiffres attendus.", codeLength)
	case !second(c.Created / 1000):
		return invalid("Champ « created » : millisecondes depuis 1970 attendues.")
	case len(c.Data) == 0:
		return invalid("Champ « data » : la demande est vide.")
	}
	return nil
}

// parseID reads an ID as it stands in a path: in the usual form and no other.
func parseID(s string) (uuid.UUID, *problem) {
	id, err := uuid.Parse(s)
	if err != nil || id == uuid.Nil || id.String() != s {
		return uuid.Nil, invalid("Chemin : identifiant attendu, comme « 01936f5e-8a3c-7000-8000-1234567890ab ».")
	}
	return id, nil
}

// parseWait reads how long a request for commands may be held. Longer than
// link.Wait becomes link.Wait.
func parseWait(s string) (time.Duration, *problem) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, invalid("Paramètre « wait » : nombre de secondes attendu.")
	}
	return min(time.Duration(n)*time.Second, link.Wait), nil
}

func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// isWord reports whether s is a word of the program: a–z, 0–9, ".", "_" and
// "-", a letter or digit first.
func isWord(s string, most int) bool {
	if s == "" || len(s) > most || strings.ContainsRune("._-", rune(s[0])) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

func isCode(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// plain reports whether s is one line of ordinary letters.
func plain(s string, least, most int) bool {
	if len(s) > 4*most || !utf8.ValidString(s) {
		return false
	}
	n := 0
	for _, r := range s {
		n++
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return least <= n && n <= most
}

func percent(n int) bool { return 0 <= n && n <= 100 }

func second(t int64) bool { return firstSecond <= t && t <= lastSecond }
