package coop

import (
	"slices"
	"time"

	"parvis/hub/callbacks"
	"parvis/kiosk/hours"
)

// activity is what a mediator has done for one resident, with the names and the
// values of the Coop's own API, "Activite" in version 1. What the hub does not
// know, as how long the call took, is left out.
type activity struct {
	ID        string   `json:"id" format:"uuid" doc:"Identifiant de la demande close, toujours le même."`
	Type      string   `json:"type" enum:"individuel" doc:"Accompagnement individuel."`
	Date      string   `json:"date" format:"date" doc:"Jour de la clôture, à Paris."`
	Count     int      `json:"accompagnements" doc:"Nombre d’accompagnements : 1."`
	PlaceType string   `json:"type_lieu" enum:"a_distance" doc:"Par téléphone."`
	Place     place    `json:"lieu" doc:"Site de la borne où la demande a été faite."`
	Topics    []string `json:"thematiques" nullable:"false" doc:"Thématiques, aux valeurs de la Coop. Une thématique administrative est toujours accompagnée de aide_aux_demarches_administratives, comme la Coop le demande."`
	Autonomy  string   `json:"autonomie,omitempty" enum:"entierement_accompagne,partiellement_autonome,autonome" doc:"Autonomie ; absente quand elle n’a pas été notée."`
	SentOn    bool     `json:"oriente_vers_structure" doc:"La personne a été orientée vers une structure."`
	SentTo    string   `json:"structure_de_redirection,omitempty" enum:"administration,mediation_numerique,operateur_ou_organisme_en_charge,aide_sociale,insertion_professionnelle,aide_aux_demarches_administratives,autre" doc:"Sorte de structure ; absente sans orientation."`
	Material  []string `json:"materiel" nullable:"false" enum:"aucun" doc:"Matériel utilisé : aucun."`
}

type place struct {
	ID   string `json:"id" doc:"Identifiant du site."`
	Name string `json:"nom" doc:"Nom du site."`
}

// helped reports whether somebody was helped: a request that was withdrawn, or
// whose resident could not be reached, is no activity.
func helped(o callbacks.Outcome) bool {
	return o == callbacks.Reached || o == callbacks.AppointmentKept || o == callbacks.Redirected
}

func activityOf(i callbacks.Item) activity {
	return activity{
		ID: i.ID.String(), Type: "individuel", Date: i.Closed.In(hours.Paris).Format(time.DateOnly), Count: 1,
		PlaceType: "a_distance", Place: place{i.Site, i.SiteName}, Topics: topicsOf(i.HelpedWith), Autonomy: valueOf(i.Autonomy),
		SentOn: i.SentTo != "", SentTo: redirectionOf(i.SentTo), Material: []string{"aucun"},
	}
}

// values are the words that the Coop's API has in place of our keys, which are
// made of the labels that people read. Others are the same.
var values = map[string]string{
	"gerer_ses_contenus_numeriques":    "gere_ses_contenus_numeriques",
	"e_mail":                           "email",
	"reseaux_sociaux_communication":    "reseaux_sociaux",
	"accompagner_un_professionnel":     "entrepreneuriat",
	"prevention_en_securite_numerique": "securite_numerique",
	"travail_formation_entreprise":     "travail_formation",

	"avec_guidage":                           "entierement_accompagne",
	"autonome_avec_guidage_en_cas_de_besoin": "partiellement_autonome",
}

func valueOf(key string) string {
	if v, ok := values[key]; ok {
		return v
	}
	return key
}

// redirectionOf is apart: travail_formation means another thing there.
func redirectionOf(key string) string {
	switch key {
	case "organisme_de_la_demarche":
		return "operateur_ou_organisme_en_charge"
	case "travail_formation":
		return "insertion_professionnelle"
	case "aide_aux_demarches":
		return "aide_aux_demarches_administratives"
	}
	return key
}

// procedures is the topic without which the Coop takes no administrative one.
const procedures = "aide_aux_demarches_administratives"

func topicsOf(keys []string) []string {
	topics := make([]string, 0, len(keys)+1)
	for _, key := range keys {
		topics = append(topics, valueOf(key))
	}
	administrative := func(key string) bool {
		return slices.ContainsFunc(callbacks.AdministrativeTopics(), func(w callbacks.Word) bool { return w.Key == key })
	}
	if slices.ContainsFunc(keys, administrative) && !slices.Contains(topics, procedures) {
		topics = append(topics, procedures)
	}
	return topics
}
