package link

import (
	"time"

	"parvis/device"
)

// The faults of a borne as a whole. The borne tells those above the line; the
// hub finds out the others.
const (
	FaultDisk       = "disk"        // under a tenth free
	FaultHot        = "hot"         // over 85 °C
	FaultClock      = "clock"       // the borne's own clock is over two minutes off
	FaultAppStopped = "app_stopped" // the application doesn't run
	FaultAppFrozen  = "app_frozen"  // its screen no longer answers
	FaultOutbox     = "outbox"      // requests wait for over a quarter of an hour, though the hub is within reach
	FaultContent    = "content"     // the last content could not be taken
	// ————
	FaultOffline     = "offline"
	FaultCertificate = "certificate" // ends within a day
	FaultClone       = "clone"       // two machines use one identity
	FaultFlood       = "flood"       // more requests to be called back than the hub takes at once
)

// FaultInfo is all that is known of a fault beforehand, of a device or of the
// borne as a whole.
type FaultInfo struct {
	Fault    string
	Severity device.Severity
	Title    string        // in French
	Do       string        // what an agent does about it, in French
	After    time.Duration // how long it must last before somebody is told
}

var faults = []FaultInfo{
	{FaultDisk, device.Warning, "Disque presque plein", "Demandez au service informatique de faire de la place : « parvis doctor » dit où.", 10 * time.Minute},
	{FaultHot, device.Warning, "Borne trop chaude", "Dégagez les grilles d’aération. Si cela dure, éteignez la borne et appelez l’assistance.", 10 * time.Minute},
	{FaultClock, device.Warning, "Horloge fausse", "Les horaires et les créneaux que la borne montre sont faux. Vérifiez l’accès au serveur de temps, ou changez la pile de l’horloge.", time.Hour},
	{FaultAppStopped, device.Critical, "Application arrêtée", "Relancez l’application. Si elle s’arrête encore, redémarrez la borne.", 2 * time.Minute},
	{FaultAppFrozen, device.Critical, "Écran figé", "Relancez l’application. Si cela revient, redémarrez la borne.", 2 * time.Minute},
	{FaultOutbox, device.Warning, "Demandes de rappel en attente", "Elles sont gardées sur la borne. Elle joint le hub, qui ne les prend pas : voyez son journal, ou appelez l’assistance.", 0},
	{FaultContent, device.Warning, "Contenus refusés", "La borne garde les contenus d’avant. Sa page dit pourquoi, sous « Versions ».", 0},
	{FaultOffline, device.Critical, "Hors ligne", "Vérifiez que la borne est allumée et son câble de réseau branché. Elle continue de servir ; rien n’est perdu.", 0},
	{FaultCertificate, device.Warning, "Certificat bientôt périmé", "La borne le renouvelle seule dès qu’elle joint le hub. Vérifiez son réseau.", 0},
	{FaultClone, device.Critical, "Identité en double", "Une copie de la borne est peut-être en service. Révoquez la borne, puis enrôlez-la de nouveau.", 0},
	{FaultFlood, device.Warning, "Trop de demandes de rappel", "Allez voir si quelqu’un joue avec la borne. Elle garde ses demandes, et le hub les prend peu à peu : rien n’est perdu.", 0},
}

// Faults lists what is known of the faults of a borne as a whole.
func Faults() []FaultInfo { return append([]FaultInfo(nil), faults...) }

// Explain tells what is known of a fault, whether a device's or the borne's
// own. One that nobody knows is critical and says so.
func Explain(fault string) FaultInfo {
	for _, f := range faults {
		if f.Fault == fault {
			return f
		}
	}
	i := device.Fault(fault).Info()
	return FaultInfo{fault, i.Severity, i.Title, i.Do, i.After}
}
