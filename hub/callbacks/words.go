package callbacks

import "slices"

// Word is one of the national Coop de la médiation numérique: its key, and how
// it reads.
type Word struct{ Key, Label string }

// Outcome says how a request was closed.
type Outcome string

// The outcomes.
const (
	Reached         Outcome = "reached"
	AppointmentKept Outcome = "appointment_kept"
	Redirected      Outcome = "redirected"
	Unreachable     Outcome = "unreachable"
	Withdrawn       Outcome = "other" // the resident wants no call any more, or something else
)

// Outcomes lists the outcomes, with how they read.
func Outcomes() []Word {
	return []Word{
		{string(Reached), "Joint"},
		{string(AppointmentKept), "Rendez-vous honoré"},
		{string(Redirected), "Réorienté"},
		{string(Unreachable), "Injoignable"},
		{string(Withdrawn), "Demande retirée ou autre"},
	}
}

// Label reads an outcome.
func (o Outcome) Label() string { return label(Outcomes(), string(o)) }

// Try is what came of a call in vain.
type Try string

// The tries.
const (
	NoAnswer    Try = "no_answer"
	Voicemail   Try = "voicemail"
	WrongNumber Try = "wrong_number"
)

// Tries lists the tries, with how they read.
func Tries() []Word {
	return []Word{
		{string(NoAnswer), "Pas de réponse"},
		{string(Voicemail), "Messagerie"},
		{string(WrongNumber), "Mauvais numéro"},
	}
}

// Label reads a try.
func (t Try) Label() string { return label(Tries(), string(t)) }

// Topics lists what people are helped with: the digital topics, then the
// administrative ones.
func Topics() []Word { return slices.Concat(digitalTopics, administrativeTopics) }

// DigitalTopics and AdministrativeTopics are the two parts of Topics.
func DigitalTopics() []Word { return slices.Clone(digitalTopics) }

// AdministrativeTopics lists the topics of public procedures; bornes send the
// same keys as the topics of requests.
func AdministrativeTopics() []Word { return slices.Clone(administrativeTopics) }

var digitalTopics = []Word{
	{"diagnostic_numerique", "Diagnostic numérique"},
	{"prendre_en_main_du_materiel", "Prendre en main du matériel"},
	{"maintenance_de_materiel", "Maintenance de matériel"},
	{"gerer_ses_contenus_numeriques", "Gérer ses contenus numériques"},
	{"navigation_sur_internet", "Navigation sur internet"},
	{"e_mail", "E-mail"},
	{"bureautique", "Bureautique"},
	{"reseaux_sociaux_communication", "Réseaux sociaux communication"},
	{"sante", "Santé"},
	{"banque_et_achats_en_ligne", "Banque et achats en ligne"},
	{"accompagner_un_professionnel", "Accompagner un professionnel"},
	{"insertion_professionnelle", "Insertion professionnelle"},
	{"prevention_en_securite_numerique", "Prévention en sécurité numérique"},
	{"parentalite", "Parentalité"},
	{"scolarite_et_numerique", "Scolarité et numérique"},
	{"creer_avec_le_numerique", "Créer avec le numérique"},
	{"culture_numerique", "Culture numérique"},
	{"intelligence_artificielle", "Intelligence artificielle"},
	{"aide_aux_demarches_administratives", "Aide aux démarches administratives"},
}

var administrativeTopics = []Word{
	{"papiers_elections_citoyennete", "Papiers, élections, citoyenneté"},
	{"famille_scolarite", "Famille, scolarité"},
	{"social_sante", "Social, santé"},
	{"travail_formation_entreprise", "Travail, formation, entreprise"},
	{"logement", "Logement"},
	{"transports_mobilite", "Transports, mobilité"},
	{"argent_impots", "Argent, impôts"},
	{"justice", "Justice"},
	{"etrangers_europe", "Étrangers, Europe"},
	{"loisirs_sports_culture", "Loisirs, sports, culture"},
	{"associations", "Associations"},
}

// Autonomies lists how well a person gets along alone.
func Autonomies() []Word { return slices.Clone(autonomies) }

var autonomies = []Word{
	{"avec_guidage", "Avec guidage"},
	{"autonome_avec_guidage_en_cas_de_besoin", "Autonome avec guidage en cas de besoin"},
	{"autonome", "Autonome"},
}

// Redirections lists where a person may be sent on to.
func Redirections() []Word { return slices.Clone(redirections) }

var redirections = []Word{
	{"administration", "Administration (mairie, préfecture…)"},
	{"mediation_numerique", "Autre lieu de médiation numérique"},
	{"organisme_de_la_demarche", "Organisme en charge de la démarche"},
	{"aide_sociale", "Aide sociale"},
	{"travail_formation", "Travail et formation"},
	{"aide_aux_demarches", "Aide aux démarches (France services…)"},
	{"autre", "Autre"},
}

// TopicLabel reads the topic of a request, or of what somebody was helped with.
func TopicLabel(key string) string { return label(Topics(), key) }

func label(words []Word, key string) string {
	for _, w := range words {
		if w.Key == key {
			return w.Label
		}
	}
	return key
}

func known(words []Word, key string) bool {
	return slices.ContainsFunc(words, func(w Word) bool { return w.Key == key })
}
