package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/network"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
)

type statusCmd struct {
	Data    string `default:"/var/lib/parvis" type:"path" help:"Dossier de la borne."`
	Network string `default:"/run/parvis-reseau" hidden:""`
	JSON    bool   `name:"json" help:"Écrit du JSON."`
}

// Help says what the exit status means.
func (*statusCmd) Help() string {
	return "Se termine par 0 si tout va bien, par 1 si quelque chose est à voir."
}

// status is how the link is, as far as the borne's folder tells.
type status struct {
	Borne   string    `json:"borne,omitempty"`
	Site    string    `json:"site,omitempty"`
	Hub     string    `json:"hub,omitempty"`
	Ends    time.Time `json:"certificate_ends,omitzero"`
	Contact time.Time `json:"last_report,omitzero"` // to the minute
	Refused string    `json:"refused,omitempty"`    // of link.Problem
	Network string    `json:"network,omitempty"`    // what of the profile's the machine has not taken
	Waiting int       `json:"waiting"`
	Oldest  time.Time `json:"oldest_waiting,omitzero"`
	Errands int       `json:"errands"` // that the hub doesn't know the outcome of
	// What the hub wants the borne to have, of what it goes by now, and what of
	// it the borne won't go on with.
	Wanted   link.Wanted    `json:"wanted,omitzero"`
	Has      has            `json:"has"`
	Settled  bool           `json:"settled"` // the borne has dealt with what is wanted
	Failures []link.Failure `json:"failures,omitempty"`
	Problems []string       `json:"problems"`
}

// has is what a borne goes by.
type has struct {
	Profile  string `json:"profile,omitempty"` // of the hub's; empty for the borne's own
	Pack     string `json:"pack,omitempty"`    // empty for what the program carries
	Software string `json:"software,omitempty"`
}

// When something is wrong.
const (
	contactLate = 3 * time.Minute
	waitsLong   = 15 * time.Minute
)

// Run prints how the link is.
func (c *statusCmd) Run(rt *runtime) error {
	if _, err := os.Stat(filepath.Join(c.Data, store.FileName)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s : ce n’est pas le dossier d’une borne (%s n’y est pas)", c.Data, store.FileName)
	}
	st, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer st.Close()
	s, err := c.read(rt, st)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(rt.stdout)
		enc.SetEscapeHTML(false)
		err = enc.Encode(s)
	} else {
		err = s.print(rt)
	}
	if err == nil && len(s.Problems) > 0 {
		return errWrong
	}
	return err
}

func (c *statusCmd) read(rt *runtime, st *store.Store) (status, error) {
	s := status{Problems: []string{}}
	id, err := enrol.Load(c.Data)
	if err != nil {
		s.Problems = append(s.Problems, err.Error())
	} else {
		s.Borne, s.Site, s.Hub = id.Borne(), id.Site(), id.Hub()
		_, s.Ends = id.Certificate()
	}
	waiting, err := st.Outbox(rt.ctx)
	if err != nil {
		return s, err
	}
	s.Waiting = len(waiting)
	if len(waiting) > 0 {
		s.Oldest = waiting[0].Created
	}
	if n := kept(waiting, id); n > 0 {
		s.Problems = append(s.Problems, keptBack(n))
	}
	errands, err := st.Errands(rt.ctx)
	if err != nil {
		return s, err
	}
	s.Errands = len(errands)
	contact, err := st.Setting(rt.ctx, store.HubContact)
	if err != nil {
		return s, err
	}
	if contact != "" {
		if s.Contact, err = time.Parse(time.RFC3339, contact); err != nil {
			return s, fmt.Errorf("dernier contact : %w", err)
		}
	}
	if s.Refused, err = st.Setting(rt.ctx, store.HubRefused); err != nil {
		return s, err
	}
	wired, err := network.ReadStatus(c.Network)
	if err != nil {
		return s, err
	}
	if s.Network = wired.Failure; s.Network != "" {
		s.Problems = append(s.Problems, s.Network)
	}
	if err := s.compare(rt, st); err != nil {
		return s, err
	}
	if s.Borne != "" {
		s.judge(rt.now())
	}
	return s, nil
}

// compare reads what is wanted, and what there is.
func (s *status) compare(rt *runtime, st *store.Store) error {
	alive, err := st.Alive(rt.ctx)
	if err != nil {
		return err
	}
	s.Has = has{alive.Profile, alive.Content, alive.Version}
	dealt := ""
	if s.Wanted, dealt, err = agent.Wanted(rt.ctx, st); err != nil {
		return err
	}
	s.Settled = s.Wanted.Tag == dealt
	for _, kind := range []string{link.KindProfile, link.KindPack, link.KindSoftware} {
		f, err := agent.Failure(rt.ctx, st, kind)
		if err != nil {
			return err
		}
		if f.Version != "" {
			s.Failures = append(s.Failures, f)
			s.Problems = append(s.Problems, fmt.Sprintf("%s %s : la borne continue avec ce qu’elle avait. %s", kinds[kind], brief(f), f.Why))
		}
	}
	return nil
}

// kinds are what a borne can be wanted to have, in words.
var kinds = map[string]string{link.KindProfile: "Profil", link.KindPack: "Contenus", link.KindSoftware: "Logiciel"}

// brief is a version as people read it.
func brief(f link.Failure) string {
	if f.Kind == link.KindProfile {
		return short(f.Version)
	}
	return f.Version
}

// short is how a profile is called on the borne.
func short(sha256 string) string { return sha256[:min(12, len(sha256))] }

// kept is how many requests wait that only another hub than the borne's can open.
func kept(waiting []store.Sealed, id *enrol.Identity) (n int) {
	for _, r := range waiting {
		if id != nil && r.OnlyFor != "" && r.OnlyFor != id.Recipient() {
			n++
		}
	}
	return n
}

func keptBack(n int) string {
	return fmt.Sprintf("Demandes de rappel que seul le hub d’avant peut ouvrir : %d. "+
		"Elles restent sur la borne. Pour les livrer, enrôlez-la de nouveau auprès de lui.", n)
}

// judge adds what is wrong with the link of a borne that is enrolled.
func (s *status) judge(now time.Time) {
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
		}
	}
	add(s.Refused != "", "Le hub refuse cette borne : demandez un nouveau code, puis « parvis-agent enrol ».")
	add(now.After(s.Ends), "Le certificat est périmé : l’agent le renouvelle dès qu’il joint le hub.")
	add(s.Contact.IsZero(), "Le hub n’a encore pris aucun rapport : l’agent tourne-t-il (« systemctl status %s ») ?", agentUnit)
	late := !s.Contact.IsZero() && now.Sub(s.Contact) > contactLate
	add(late, "Le hub n’a pris aucun rapport depuis %s : vérifiez le réseau et l’agent (« journalctl -u %s »).",
		lasting(now.Sub(s.Contact)), agentUnit)
	add(s.Waiting > 0 && now.Sub(s.Oldest) > waitsLong, "Une demande de rappel attend depuis %s. Elle est gardée.", lasting(now.Sub(s.Oldest)))
}

// lasting says a duration as one says it.
func lasting(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d jours", int(d.Hours()/24))
}

// printWanted prints what the borne goes by, and where the hub wants something
// else, what.
func (s *status) printWanted(line func(name, format string, args ...any)) {
	told := func(kind, have, own, want string) {
		text := cmp.Or(have, own)
		if want != "" && want != have {
			text += fmt.Sprintf(" ; le hub veut %s", want)
		}
		line(kinds[kind], "%s", text)
	}
	profile := ""
	if s.Wanted.Profile != nil {
		profile = short(s.Wanted.Profile.SHA256)
	}
	told(link.KindProfile, s.Has.Profile, "celui de la borne", profile)
	told(link.KindPack, s.Has.Pack, "ceux du programme", s.Wanted.Pack)
	told(link.KindSoftware, s.Has.Software, "pas encore démarré", s.Wanted.Software)
	if !s.Settled {
		line("En chemin", "la borne y travaille : entre deux visites, et après la fermeture pour le logiciel")
	}
}

func (s *status) print(rt *runtime) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(rt.stdout, "%-20s %s\n", name, fmt.Sprintf(format, args...))
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "jamais"
		}
		return t.In(paris()).Format("02/01/2006 15:04")
	}
	if s.Borne != "" {
		line("Borne", "%s (%s)", s.Borne, s.Site)
		line("Hub", "%s", s.Hub)
		line("Certificat jusqu’au", "%s", at(s.Ends))
		line("Dernier rapport pris", "%s", at(s.Contact))
	}
	s.printWanted(line)
	line("Rappels en attente", "%d", s.Waiting)
	line("Commandes en cours", "%d", s.Errands)
	for _, p := range s.Problems {
		line("À voir", "%s", p)
	}
	return nil
}
