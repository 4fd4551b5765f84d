package device

import "time"

// Fault is a stable code for what is wrong with a device. What people read
// about it, and when, stands in one table: see Info.
type Fault string

// The faults of all devices.
const (
	None Fault = ""

	// Printers.
	NoPaper    Fault = "no_paper"
	PaperEnds  Fault = "paper_ends"  // little is left
	CoverOpen  Fault = "cover_open"  // or the printing head is up
	Jam        Fault = "jam"         // the cutter or the paper path is stuck
	TicketLeft Fault = "ticket_left" // the last ticket still hangs in the mouth
	Overheated Fault = "overheated"  // it goes on by itself once it has cooled
	NoInk      Fault = "no_ink"      // ink or toner
	InkEnds    Fault = "ink_ends"
	Stopped    Fault = "stopped" // somebody paused the printer or its queue

	// All devices.
	Hardware  Fault = "hardware"   // the device reports another error, or is offline without a reason
	Unplugged Fault = "unplugged"  // the line is gone or cannot be opened
	InUse     Fault = "in_use"     // another program has it
	Silent    Fault = "silent"     // the line is there, but the device does not answer
	NoService Fault = "no_service" // the system's own service is down: CUPS, pcscd, the sound server
	NoSound   Fault = "no_sound"   // no sound card, or not the output of the profile
	Noise     Fault = "noise"      // what the device sends makes no sense

	// Single documents, not the state of a printer.
	Interrupted Fault = "interrupted" // the borne itself gave up waiting
	Unprintable Fault = "unprintable" // the document cannot be put in the printer's terms
)

// Severity is how much a fault keeps a device from its work.
type Severity string

// The severities, from mild to grave.
const (
	Info     Severity = "info"     // worth a line in the log
	Warning  Severity = "warning"  // it works, but a hand is needed soon
	Critical Severity = "critical" // it does not work
)

// FaultInfo is all that is known of a fault beforehand.
type FaultInfo struct {
	Fault    Fault
	Severity Severity
	State    State         // of a device that has it
	Title    string        // for agents, in French
	Do       string        // what an agent does about it, in French
	Resident string        // what the resident reads: an id of app/text; empty where they need not know
	After    time.Duration // how long it must last before an agent is told
}

// faults is the only place where faults are declared.
var faults = []FaultInfo{
	{NoPaper, Critical, UserError, "Plus de papier", "Mettez un rouleau, ou des feuilles dans le bac, puis refermez.", "print.no_paper", 2 * time.Minute},
	{PaperEnds, Warning, Online, "Bientôt plus de papier", "Préparez un rouleau, ou des feuilles. La borne imprime encore.", "", 10 * time.Minute},
	{CoverOpen, Critical, UserError, "Capot ouvert", "Fermez le capot de l’imprimante jusqu’au clic.", "print.cover_open", 2 * time.Minute},
	{Jam, Critical, UserError, "Papier coincé", "Ouvrez le capot, retirez le papier coincé, refermez.", "print.out_of_order", time.Minute},
	{TicketLeft, Warning, Online, "Ticket oublié dans la bouche", "Retirez le ticket qui dépasse et jetez-le.", "", 10 * time.Minute},
	{Overheated, Critical, HardwareError, "Tête d’impression trop chaude", "Attendez quelques minutes : elle repart seule. Si cela revient, appelez l’assistance.", "print.out_of_order", 5 * time.Minute},
	{NoInk, Critical, UserError, "Plus d’encre", "Changez la cartouche d’encre ou de toner.", "print.out_of_order", 2 * time.Minute},
	{InkEnds, Warning, Online, "Bientôt plus d’encre", "Préparez une cartouche. La borne imprime encore.", "", time.Hour},
	{Stopped, Critical, Offline, "Impression suspendue", "Relancez la file : « cupsenable » suivi du nom de l’imprimante, ou la touche « En ligne » de l’imprimante.", "print.out_of_order", 2 * time.Minute},
	{Hardware, Critical, HardwareError, "Panne signalée par l’appareil", "Éteignez l’appareil dix secondes, rallumez-le. Si cela revient, appelez l’assistance.", "print.out_of_order", time.Minute},
	{Unplugged, Critical, NoDevice, "Appareil débranché", "Vérifiez que le câble est branché des deux côtés, que l’appareil est allumé, et que le port du profil est le bon.", "print.out_of_order", 2 * time.Minute},
	{InUse, Critical, Offline, "Occupé par un autre programme", "Arrêtez l’autre programme qui s’en sert : une autre borne, « parvis badge », ModemManager.", "print.out_of_order", 2 * time.Minute},
	{Silent, Critical, Offline, "L’appareil ne répond pas", "Vérifiez qu’il est allumé et que sa vitesse est celle du profil.", "print.out_of_order", 2 * time.Minute},
	{NoService, Critical, Offline, "Service du système arrêté", "Relancez le service : « systemctl restart cups » ou « systemctl restart pcscd ».", "print.out_of_order", 2 * time.Minute},
	{NoSound, Critical, NoDevice, "Aucune sortie de son", "Vérifiez la carte son avec « aplay -l », et les noms des sorties dans le profil.", "voice.no_sound", 2 * time.Minute},
	{Noise, Warning, Online, "Données illisibles", "Vérifiez le modèle et la vitesse dans le profil, et l’état du câble.", "", 10 * time.Minute},
	{Interrupted, Info, Online, "Impression abandonnée", "Rien : la borne a cessé d’attendre l’imprimante.", "print.out_of_order", 0},
	{Unprintable, Info, Online, "Document impossible à imprimer", "Signalez la page concernée à l’éditeur.", "print.out_of_order", 0},
}

// Faults lists every fault there is, for those who keep something for each.
func Faults() []FaultInfo { return append([]FaultInfo(nil), faults...) }

// Info gives what is known of a fault. None, and a fault that is not in the
// table, give the zero FaultInfo and one that is Critical.
func (f Fault) Info() FaultInfo {
	if f == None {
		return FaultInfo{}
	}
	for _, i := range faults {
		if i.Fault == f {
			return i
		}
	}
	return FaultInfo{Fault: f, Severity: Critical, State: Unknown, Title: "Panne inconnue : " + string(f), Do: "Appelez l’assistance.", Resident: "print.out_of_order"}
}

// With gives the status of a device that has this fault, for the cause given.
func (f Fault) With(cause error) Status {
	s := Status{State: f.Info().State, Fault: f}
	if cause != nil {
		s.Cause = cause.Error()
	}
	return s
}
