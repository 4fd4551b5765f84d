// Package docs holds the guides in French, which the console shows too.
package docs

import "embed"

// Guides are the guides and their pictures, as they lie in this folder.
//
//go:embed README.md agents/*.md it/*.md it/images/*.png
//go:embed screens/console/agents-1440.png
//go:embed screens/console/alertes-1440.png screens/console/alertes-journal-1440.png
//go:embed screens/console/alertes-reglages-1440.png screens/console/borne-1440.png
//go:embed screens/console/borne-plus-1440.png screens/console/bornes-1440.png
//go:embed screens/console/confirmation-1440.png screens/console/connexion-1440.png
//go:embed screens/console/deploiement-1440.png screens/console/journal-1440.png
//go:embed screens/console/mise-en-service-1440.png screens/console/mise-en-service-code-1440.png
//go:embed screens/console/profils-1440.png screens/console/rappel-joint-1440.png
//go:embed screens/console/rappel-pris-1440.png screens/console/rappel-sms-1440.png
//go:embed screens/console/rappels-1440.png screens/console/rappels-agendas-adresse-1440.png
//go:embed screens/console/statistiques-mois-1440.png
var Guides embed.FS
