package profile

// Site is the house the borne stands in.
type Site struct {
	ID        string   `toml:"id" jsonschema:"required,minLength=1,example=neudorf" jsonschema_description:"Identifiant du site, le même que sur le hub."`
	Name      string   `toml:"nom" jsonschema:"required,minLength=1,example=Mairie de Neudorf" jsonschema_description:"Nom de la maison, tel qu’on le lit à l’écran."`
	Address   string   `toml:"adresse" jsonschema:"example=1 place du Marché" jsonschema_description:"Adresse postale : numéro et rue."`
	PostCode  string   `toml:"code_postal" jsonschema:"pattern=^[0-9]{5}$,example=67100" jsonschema_description:"Code postal."`
	Town      string   `toml:"commune" jsonschema:"example=Strasbourg" jsonschema_description:"Commune."`
	Phone     string   `toml:"telephone" jsonschema:"example=03 53 01 00 00" jsonschema_description:"Téléphone de la maison, pour les habitants."`
	Lat       float64  `toml:"latitude" jsonschema:"minimum=-90,maximum=90,example=48.5734" jsonschema_description:"Latitude, en degrés décimaux. Les lieux sont triés par le temps de marche depuis ce point."`
	Lon       float64  `toml:"longitude" jsonschema:"minimum=-180,maximum=180,example=7.7521" jsonschema_description:"Longitude, en degrés décimaux."`
	Region    string   `toml:"region" jsonschema:"enum=metropole,enum=alsace-moselle,enum=guadeloupe,enum=martinique,enum=guyane,enum=la-reunion,enum=mayotte,enum=saint-barthelemy,enum=saint-martin,enum=,example=alsace-moselle" jsonschema_description:"Calendrier des jours fériés."`
	Opening   string   `toml:"ouverture" jsonschema:"example=Mo-Fr 08:30-18:00; Sa 09:00-12:00; PH off" jsonschema_description:"Heures d’ouverture de la maison, au format opening_hours d’OpenStreetMap. L’accueil s’assombrit quand elle est fermée."`
	Mediators string   `toml:"mediateurs" jsonschema:"example=Mo-Fr 09:00-12:00\\,14:00-17:00; PH off" jsonschema_description:"Heures où les médiateurs rappellent, au format opening_hours."`
	Languages []string `toml:"langues" jsonschema:"minItems=1,minLength=1,example=fr,example=falc,example=en,example=ar" jsonschema_description:"Langues proposées ; la première est celle de la borne. falc : le français facile à lire."`
}

// Contacts are the people to turn to.
type Contacts struct {
	Desk     Contact `toml:"accueil" jsonschema_description:"L’accueil de la maison, pour les habitants."`
	Mediator Contact `toml:"mediation" jsonschema_description:"La médiation numérique, pour les habitants."`
	IT       Contact `toml:"informatique" jsonschema_description:"Le service informatique, pour le personnel de la maison."`
}

// Contact is a person, or a desk.
type Contact struct {
	Name  string `toml:"nom" jsonschema:"example=Accueil de la mairie" jsonschema_description:"Nom de la personne ou du service."`
	Phone string `toml:"telephone" jsonschema:"pattern=^(\\+?[0-9][0-9 .()-]{1\\,22}[0-9])?$,example=03 53 01 00 00" jsonschema_description:"Téléphone."`
	Email string `toml:"courriel" jsonschema:"pattern=^([^@ ]+@[^@ ]+)?$,example=accueil@ville.fr" jsonschema_description:"Courriel."`
}

// Network is how the borne reaches the hub.
type Network struct {
	Address string   `toml:"adresse" jsonschema:"example=192.0.2.10/24" jsonschema_description:"« dhcp », ou l’adresse fixe de la borne et la longueur de son réseau."`
	Gateway string   `toml:"passerelle" jsonschema:"example=192.0.2.1" jsonschema_description:"Passerelle, avec une adresse fixe."`
	DNS     []string `toml:"dns" jsonschema:"example=192.0.2.53" jsonschema_description:"Serveurs de noms ; vide : ceux que donne le réseau."`
	Time    []string `toml:"heure" jsonschema:"minLength=1,example=ntp.ville.fr" jsonschema_description:"Serveurs de temps ; vide : ceux du système."`
	Proxy   string   `toml:"proxy" jsonschema:"example=http://proxy.ville.fr:3128" jsonschema_description:"Serveur mandataire pour joindre le hub ; vide : aucun."`
	NoProxy []string `toml:"sans_proxy" jsonschema:"minLength=1,example=.ville.fr" jsonschema_description:"Noms ou adresses joints sans le serveur mandataire."`
}

// Wifi is the house's Wi-Fi for residents.
type Wifi struct {
	Name     string `toml:"nom" jsonschema:"example=Mairie-Public" jsonschema_description:"Nom du réseau (SSID), 32 octets au plus."`
	Security string `toml:"securite" jsonschema:"enum=wpa,enum=ouvert,example=wpa" jsonschema_description:"« wpa » avec un mot de passe, « ouvert » sans."`
	Password string `toml:"mot_de_passe" jsonschema:"example=bienvenue-a-neudorf" jsonschema_description:"Mot de passe du réseau public, de 8 à 63 signes ; il est imprimé sur le ticket."`
	Note     string `toml:"consigne" jsonschema:"maxLength=200,example=Acceptez les conditions sur la page qui s’ouvre." jsonschema_description:"Une phrase de plus sur le ticket."`
}

// Callback is where requests go: age recipients of the hub.
type Callback struct {
	Recipients []string `toml:"destinataires" jsonschema:"minLength=1,example=age1x68cvhkhu660nkaw89mwz9zkp5zvgtr904zclrk94k6q282psvqs2jnvfu" jsonschema_description:"Clés publiques qui peuvent ouvrir les demandes, en plus de celle du hub."`
}

// Agent is what the city's agents may see of the borne from afar.
type Agent struct {
	Capture string `toml:"capture" jsonschema:"enum=nette,enum=floue,enum=jamais,example=floue" jsonschema_description:"Image de l’écran envoyée à un agent qui la demande : « nette », « floue » (rien ne s’y lit) ou « jamais ». Ce qu’une personne écrit n’est jamais envoyé."`
}

// The pictures of the screen that agents may be sent: never any of what
// somebody has typed.
const (
	SharpCapture   = "nette"
	BlurredCapture = "floue" // in which nothing can be read
	NoCapture      = "jamais"
)
