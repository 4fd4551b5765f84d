package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parvis/kiosk/link"
)

// describe begins the description of the API; the operations add themselves.
func describe(version string) *huma.OpenAPI {
	if version == "" {
		version = link.Prefix[1:]
	}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "Parvis : le hub pour les bornes",
			Version: version,
			Description: "Ce qu’une borne et le hub se disent : HTTP/2 sur TLS 1.3. Les messages sont en CBOR (application/cbor) ou en JSON (application/json), avec les mêmes noms. " +
				"En CBOR, une suite d’octets est une chaîne d’octets ; en JSON, du base64. Un identifiant de commande est, en CBOR, une chaîne de 16 octets. " +
				"Un champ que le hub ne connaît pas est ignoré. Le corps d’un message peut être compressé (Content-Encoding: deflate). " +
				"Chaque refus est un document « problem » (RFC 9457) dont le type dit quoi faire.",
			License: &huma.License{Name: "EUPL-1.2", Identifier: "EUPL-1.2"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				byCertificate: {Type: "mutualTLS", Description: "Le certificat que le hub a donné à la borne lors de son enrôlement."},
			},
		},
	}
}

// words are an operation in French, for IT staff and for who writes a client.
type words struct{ id, summary, description, success string }

var operationWords = map[string]words{
	"POST " + pathReport: {"rapporter", "Dire comment va la borne",
		"Toutes les 30 secondes. Le hub répond quand le rapport est sur son disque. Les comptages sont des totaux du jour : les dire deux fois ne change rien.", "Le rapport est enregistré."},
	"GET " + pathCommands: {"commandes", "Attendre des commandes",
		"La requête reste ouverte jusqu’à ce qu’une commande arrive, au plus « wait » secondes. Une même commande peut être dite deux fois : la borne ne la fait qu’une fois.", "Les commandes à faire, la plus ancienne d’abord ; aucune quand l’attente est finie."},
	"PUT " + pathOutcome: {"resultat", "Dire ce qu’une commande est devenue",
		"Avec le fichier demandé, s’il y en a un. Un second résultat pour la même commande ne change rien.", "Le résultat est enregistré."},
	"PUT " + pathCallback: {"rappel", "Remettre une demande de rappel",
		"La demande est scellée : personne ne peut la lire en chemin. L’identifiant la rend unique : la remettre deux fois ne la crée qu’une fois. Le hub répond quand elle est sur son disque.", "La demande est nouvelle et enregistrée."},
	"PUT " + pathUnfound: {"recherche", "Remettre une recherche sans résultat",
		"Ce qu’un habitant a cherché sans le trouver, scellé, avec le mois seul. L’identifiant la rend unique. Une recherche d’un mois déjà arrêté, ou de trop, n’est pas gardée : la borne l’efface dans tous les cas.", "Le hub l’a, ou n’en a plus besoin."},
	"PUT " + pathInventory: {"inventaire", "Dire de quoi la borne est faite",
		"Au démarrage de l’agent, quand quelque chose a changé, et une fois par jour. Le dernier inventaire remplace celui d’avant.", "L’inventaire est enregistré."},
	"GET " + pathWanted: {"voulu", "Demander ce que la borne doit avoir",
		"Quand la réponse à un rapport porte une autre étiquette que celle dont la borne s’est occupée. La borne s’y met d’elle-même, entre deux visites.", "Ce que la borne doit avoir."},
	"GET " + pathFile: {"fichier", "Prendre un fichier",
		"Le fichier dont l’empreinte SHA-256 est donnée. L’en-tête Range permet de reprendre après une coupure.", "Le fichier."},
	"GET " + pathApt: {"paquets", "Prendre un fichier du dépôt de paquets",
		"Le dépôt apt que le hub signe : InRelease, les index et les paquets Debian. L’en-tête Range permet de reprendre après une coupure.", "Le fichier."},
	"GET " + pathPack: {"signatures", "Prendre les signatures des contenus",
		"Les métadonnées signées des lots de contenus (The Update Framework), telles quelles. Elles nomment les fichiers des lots par leur empreinte SHA-256.", "Les métadonnées, en JSON."},
	"POST " + pathEnrol: {"enroler", "Enrôler une borne",
		"Avec le secret d’un code à usage unique ; sans certificat. La même demande avec la même clé reçoit la même identité. Les essais sont limités par adresse.", "L’identité de la borne."},
	"POST " + pathRenew: {"renouveler", "Renouveler le certificat",
		"Possible aussi avec un certificat périmé.", "L’identité de la borne, avec un nouveau certificat."},
}

var statusWords = map[int]string{
	http.StatusBadRequest:                   "Message illisible : JSON ou CBOR mal formé, champ d’une autre sorte.",
	http.StatusUnauthorized:                 "Certificat absent (urn:parvis:problem:revoked) ou périmé (urn:parvis:problem:expired).",
	http.StatusForbidden:                    "La borne n’est pas, ou plus, admise ; la connexion est fermée. À l’enrôlement : code refusé (urn:parvis:problem:token).",
	http.StatusNotFound:                     "Inconnu du hub, pour cette borne.",
	http.StatusRequestTimeout:               "Le message n’est pas arrivé en entier à temps, ou sa compression est abîmée.",
	http.StatusConflict:                     "Le hub a déjà ce rapport.",
	http.StatusRequestEntityTooLarge:        "Message trop gros.",
	http.StatusUnsupportedMediaType:         "Ni CBOR ni JSON, ou compression inconnue.",
	http.StatusRequestedRangeNotSatisfiable: "Le fichier n’a pas ces octets.",
	http.StatusUnprocessableEntity:          "Valeur refusée : le détail dit quel champ. Avec urn:parvis:problem:clock, « now » donne l’heure du hub.",
	http.StatusTooManyRequests:              "Trop d’essais, ou de demandes de rappel : Retry-After dit quand recommencer.",
	http.StatusServiceUnavailable:           "Hub occupé : Retry-After dit quand recommencer. Rien n’est perdu.",
	http.StatusInternalServerError:          "Erreur du hub : le détail donne le numéro à chercher dans son journal.",
}

// document fills in what huma can't know of an operation.
func document(oapi *huma.OpenAPI, op *huma.Operation, errs []int) {
	w, ok := operationWords[op.Method+" "+op.Path]
	if !ok {
		panic("no words for " + op.Method + " " + op.Path)
	}
	op.OperationID, op.Summary, op.Description = w.id, w.summary, w.description
	success := op.DefaultStatus
	if success == 0 {
		success = http.StatusOK
	}
	op.Responses = make(map[string]*huma.Response)
	switch op.Path {
	case pathFile, pathApt, pathPack:
		binary := map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		op.Responses["200"] = &huma.Response{Description: w.success, Content: binary}
		op.Responses["206"] = &huma.Response{Description: "La partie demandée du fichier.", Content: binary}
	case pathCallback:
		op.Responses["201"] = &huma.Response{Description: w.success}
		op.Responses["200"] = &huma.Response{Description: "Le hub l’avait déjà."}
	case pathOutcome, pathInventory, pathUnfound:
		op.Responses["204"] = &huma.Response{Description: w.success}
	default:
		op.Responses[fmt.Sprint(success)] = &huma.Response{Description: w.success}
	}
	schema := oapi.Components.Schemas.Schema(reflect.TypeFor[link.Problem](), true, "")
	for _, status := range append(errs, http.StatusInternalServerError) {
		op.Responses[fmt.Sprint(status)] = &huma.Response{
			Description: statusWords[status],
			Content: map[string]*huma.MediaType{
				link.MediaProblemJSON: {Schema: schema},
				link.MediaProblemCBOR: {Schema: schema},
			},
		}
	}
}

// bothFormats says that every message may also be CBOR.
func bothFormats(op *huma.Operation) {
	add := func(content map[string]*huma.MediaType) {
		if m := content[typeJSON]; m != nil {
			content[typeCBOR] = m
		}
	}
	if op.RequestBody != nil {
		add(op.RequestBody.Content)
	}
	for _, r := range op.Responses {
		add(r.Content)
	}
	for _, p := range op.Parameters {
		if text := parameterWords[p.Name]; text != "" {
			p.Description = text
		}
	}
}

var parameterWords = map[string]string{
	"wait":   "Secondes pendant lesquelles la requête peut rester ouverte, 600 au plus. Sans elles, le hub répond aussitôt.",
	"file":   "Nom d’un fichier de métadonnées : timestamp.json, 3.targets.json, 1.root.json.",
	"id":     "Identifiant (UUID) de la commande, de la demande ou de la recherche.",
	"path":   "Chemin du fichier dans le dépôt, barres obliques encodées : dists%2Fparvis%2FInRelease.",
	"sha256": "Empreinte SHA-256 du fichier, en hexadécimal.",
}

// fieldWords say what the fields of the messages mean. A field of a message
// that is missing here fails a test.
var fieldWords = map[string]string{
	"Report.run":          "8 octets tirés au sort au démarrage de l’agent.",
	"Report.seq":          "Numéro du rapport depuis ce démarrage, à partir de 1.",
	"Report.at":           "Heure du rapport : millisecondes depuis 1970, UTC. À plus de 5 minutes de l’heure du hub, il est refusé.",
	"Report.skew":         "Avance de l’horloge de la borne, en secondes.",
	"Report.ver":          "Version du programme.",
	"Report.content":      "Version des contenus ; vide pour ceux du programme.",
	"Report.prof":         "Les 12 premiers chiffres de l’empreinte SHA-256 du profil en service ; vide pour celui de la borne.",
	"Report.tag":          "Étiquette de ce que la borne doit avoir, une fois qu’elle s’en est occupée.",
	"Report.bad":          "Ce que la borne doit avoir et qui n’a pas marché : elle est revenue à ce qu’elle avait. 8 au plus.",
	"Failure.k":           "profile, pack ou software.",
	"Failure.v":           "Version ; d’un profil, son empreinte SHA-256.",
	"Failure.w":           "Pourquoi, en français, 300 lettres au plus.",
	"Inventory.vendor":    "Fabricant de la machine.",
	"Inventory.model":     "Modèle de la machine.",
	"Inventory.firmware":  "Version du BIOS ou de l’UEFI.",
	"Inventory.cpu":       "Processeur.",
	"Inventory.cores":     "Nombre de cœurs.",
	"Inventory.memory":    "Mémoire, en octets.",
	"Inventory.tpm":       "Module TPM 2.0 présent.",
	"Inventory.os":        "Système d’exploitation.",
	"Inventory.kernel":    "Noyau.",
	"Inventory.slot":      "Système en service sur une borne qui en a deux : A ou B.",
	"Inventory.packages":  "Versions des paquets qui comptent, par nom. 64 au plus.",
	"Inventory.disks":     "Disques. 64 au plus.",
	"Inventory.networks":  "Interfaces réseau. 64 au plus.",
	"Inventory.screens":   "Écrans branchés. 64 au plus.",
	"Inventory.usb":       "Appareils USB, sans les concentrateurs. 64 au plus.",
	"Disk.name":           "Nom du disque pour le noyau.",
	"Disk.model":          "Modèle.",
	"Disk.size":           "Taille en octets.",
	"Disk.health":         "good, worn (usé), failing (sur le point de lâcher), ou vide.",
	"Disk.hours":          "Heures de marche.",
	"Network.name":        "Nom de l’interface.",
	"Network.mac":         "Adresse MAC.",
	"Network.wifi":        "Sans fil.",
	"Network.up":          "Reliée.",
	"Screen.name":         "Prise.",
	"Screen.model":        "Modèle.",
	"Screen.mode":         "Meilleure définition : 1920x1080.",
	"Screen.width":        "Largeur de l’image, en millimètres.",
	"Screen.height":       "Hauteur de l’image, en millimètres.",
	"USB.id":              "Fabricant et produit, en hexadécimal : 04b8:0e15.",
	"USB.name":            "Nom que l’appareil se donne.",
	"Wanted.tag":          "Étiquette : une autre dès que la borne doit avoir autre chose.",
	"Wanted.profile":      "Profil entier de la borne (TOML) ; absent, elle garde le sien.",
	"Wanted.pack":         "Version des contenus signés ; vide pour garder ceux qui sont là.",
	"Wanted.software":     "Version du paquet parvis-borne ; vide pour garder celle qui est installée.",
	"File.sha256":         "Empreinte SHA-256, en hexadécimal.",
	"File.size":           "Taille en octets.",
	"Report.up":           "Secondes depuis le démarrage de la machine.",
	"Report.app":          "État de l’application : serving, idle, out_of_service, starting, stopped, frozen, ou vide.",
	"Report.dev":          "Les appareils, 32 au plus.",
	"Report.disk":         "Espace libre du disque, en pour cent.",
	"Report.temp":         "Température la plus haute, en °C ; 0 sans capteur.",
	"Report.load":         "Charge des cœurs sur une minute, en pour cent.",
	"Report.faults":       "Pannes de la borne elle-même.",
	"Report.n":            "Comptages qui ont changé : jour, clé, total du jour. 200 au plus.",
	"Report.wait":         "Demandes de rappel que le hub n’a pas encore.",
	"Device.n":            "Nom de l’appareil dans le profil.",
	"Device.k":            "Sorte d’appareil.",
	"Device.s":            "État.",
	"Device.p":            "État du papier.",
	"Device.f":            "Panne.",
	"Device.t":            "Depuis quand : secondes depuis 1970, UTC.",
	"Fault.f":             "Panne.",
	"Fault.t":             "Depuis quand : secondes depuis 1970, UTC.",
	"ReportAnswer.tag":    "Étiquette de ce que la borne doit avoir ; vide tant que rien n’est voulu d’elle.",
	"ReportAnswer.now":    "Heure du hub : millisecondes depuis 1970, UTC.",
	"Commands.commands":   "Commandes, la plus ancienne d’abord.",
	"Commands.now":        "Heure du hub : millisecondes depuis 1970, UTC.",
	"Command.id":          "Identifiant (UUID).",
	"Command.kind":        "Ce que la borne doit faire : restart_app, restart_machine, test_print, volume, message, out_of_service, back_in_service, screenshot, logs, update.",
	"Command.args":        "Précisions.",
	"Command.expires":     "Après cette heure (millisecondes depuis 1970, UTC), la commande n’est plus voulue.",
	"Args.level":          "volume : de 1 à 8.",
	"Args.text":           "message : le texte, 200 lettres au plus ; vide pour l’ôter.",
	"Args.minutes":        "message : durée d’affichage ; 0 jusqu’à ce qu’il soit ôté.",
	"Outcome.state":       "done (fait), refused (refusé, rien n’a changé) ou failed (essayé en vain).",
	"Outcome.why":         "Pourquoi, en français, 300 lettres au plus.",
	"Outcome.file_type":   "image/png, image/jpeg ou text/plain.",
	"Outcome.file":        "Le fichier demandé.",
	"Callback.code":       "Numéro sur le ticket de l’habitant.",
	"Callback.created":    "Millisecondes depuis 1970, UTC.",
	"Callback.data":       "La demande, scellée.",
	"Unfound.month":       "Mois de la recherche : 2026-11.",
	"Unfound.data":        "La recherche, scellée. 4096 octets au plus.",
	"EnrolRequest.secret": "Secret du code à usage unique.",
	"EnrolRequest.csr":    "Demande de certificat PKCS #10, en DER.",
	"RenewRequest.csr":    "Demande de certificat PKCS #10, en DER ; la clé peut être la même.",
	"Enrolled.borne":      "Identifiant de la borne.",
	"Enrolled.site":       "Nom du site.",
	"Enrolled.chain":      "Certificats en DER, celui de la borne d’abord.",
	"Enrolled.authority":  "Certificat de l’autorité du hub, en DER.",
	"Enrolled.recipient":  "Clé publique (age) à laquelle les demandes de rappel sont scellées.",
	"Enrolled.now":        "Heure du hub : millisecondes depuis 1970, UTC.",
	"Problem.type":        "Ce qui est refusé : une des adresses urn:parvis:problem:…",
	"Problem.title":       "Titre.",
	"Problem.status":      "État HTTP.",
	"Problem.detail":      "Précisions.",
	"Problem.now":         "Avec urn:parvis:problem:clock : heure du hub, millisecondes depuis 1970, UTC.",
	"Problem.errors":      "N’est pas utilisé.",
}

// describeFields puts the words, and the bounds that checkReport and the
// others hold to, into the schemas.
func describeFields(oapi *huma.OpenAPI) {
	for name, s := range oapi.Components.Schemas.Map() {
		s.AdditionalProperties = true // a newer borne, or hub, may say more
		for field, p := range s.Properties {
			text := fieldWords[name+"."+field]
			if p.Ref != "" {
				// A reference with words of its own, as OpenAPI 3.1 allows.
				s.Properties[field] = &huma.Schema{AllOf: []*huma.Schema{{Ref: p.Ref}}, Description: text}
				continue
			}
			p.Description = text
			bound(name+"."+field, p)
		}
	}
}

func bound(field string, s *huma.Schema) {
	word := fmt.Sprintf("^[a-z0-9][a-z0-9._-]{0,%d}$", nameLength-1)
	switch field {
	case "Report.disk", "Report.load":
		s.Minimum, s.Maximum = ptr(0.0), ptr(100.0)
	case "Report.seq":
		s.Minimum = ptr(1.0)
	case "Report.up", "Report.wait":
		s.Minimum = ptr(0.0)
	case "Report.dev":
		s.MaxItems = ptr(mostDevices)
	case "Report.faults":
		s.MaxItems = ptr(mostFaults)
	case "Report.ver", "Report.content", "Report.prof", "Report.tag", "Failure.v":
		s.MaxLength = ptr(textLength)
	case "Report.bad":
		s.MaxItems = ptr(mostFailures)
	case "Device.n", "Device.k", "Fault.f":
		s.Pattern = word
	case "Outcome.why", "Failure.w":
		s.MaxLength = ptr(whyLength)
	case "Outcome.state":
		s.Enum = []any{string(link.Done), string(link.Refused), string(link.Failed)}
	case "Outcome.file_type":
		s.Enum = []any{"image/png", "image/jpeg", "text/plain"}
	case "Callback.code":
		s.Pattern = fmt.Sprintf("^[A-Z0-9-]{1,%d}$", codeLength)
	case "Unfound.month":
		s.Pattern = `^[0-9]{4}-(0[1-9]|1[0-2])$`
	case "Command.id":
		s.Format = "uuid"
	}
	if strings.HasPrefix(field, "Commands.") || strings.HasPrefix(field, "Enrolled.") {
		s.Nullable = false // the hub never sends null for an empty list
	}
}

func ptr[T any](v T) *T { return &v }
