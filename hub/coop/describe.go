package coop

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"parvis/hub/access"
)

// describe begins the description of the API; huma adds the operation.
func describe(version string) *huma.OpenAPI {
	if version == "" {
		version = "v1"
	}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "Parvis : les activités, pour la Coop de la médiation numérique",
			Version: version,
			Description: "Ce que les médiateurs ont fait des demandes de rappel, avec les noms et les valeurs de l’API de la Coop (« Activite », version 1). " +
				"Rien d’aucun habitant n’y est, ni note, ni nom de collègue. Une demande retirée, ou d’une personne injoignable, n’est pas une activité. " +
				"La durée n’est pas connue. Une demande est effacée 30 jours après sa clôture : son activité ne se lit plus ensuite. " +
				"Une demande close par erreur peut être rouverte, puis close autrement : ce qui est relu sous un même identifiant remplace ce qui l’a été avant. " +
				"Chaque refus est un document « problem » (RFC 9457).",
			License: &huma.License{Name: "EUPL-1.2", Identifier: "EUPL-1.2"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				byToken: {Type: "http", Scheme: "bearer", Description: "Un jeton de portée « " + access.Coop + " », fait dans la console : « Rappels », « Accès des programmes »."},
			},
		},
	}
}

// operation describes the one operation.
func operation(oapi *huma.OpenAPI) huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: Prefix + "v1/activites", OperationID: "activites", Summary: "Lire les activités d’une période",
		Description:        "Par pages de 100 demandes closes au plus. Les deux jours sont à donner.",
		Security:           []map[string][]string{{byToken: {}}},
		SkipValidateParams: true, // activities does, in French
		Responses:          map[string]*huma.Response{"200": {Description: "Une page d’activités."}},
	}
	schema := oapi.Components.Schemas.Schema(reflect.TypeFor[problem](), true, "")
	for status, text := range map[int]string{
		http.StatusUnauthorized:        "Jeton absent, inconnu ou révoqué.",
		http.StatusForbidden:           "Le jeton n’a pas la portée « " + access.Coop + " ».",
		http.StatusUnprocessableEntity: "Jour ou page qui n’en est pas : le détail dit lequel.",
		http.StatusInternalServerError: "Erreur du hub : le détail donne le numéro à chercher dans son journal.",
	} {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text, Content: map[string]*huma.MediaType{typeProblem: {Schema: schema}}}
	}
	return op
}

// serveDescription serves the description, made once, as it never changes.
func (a *api) serveDescription(mux *http.ServeMux, oapi *huma.OpenAPI) error {
	asJSON, err := json.Marshal(oapi)
	if err != nil {
		return err
	}
	asYAML, err := oapi.YAML()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"json": asJSON, "yaml": asYAML} {
		mux.HandleFunc("GET "+Prefix+"openapi."+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/openapi+"+name)
			w.Header().Set("Cache-Control", "max-age=300")
			w.Write(data) // who asked may be gone
		})
	}
	return nil
}
