package people

import (
	"slices"
)

// Role is what a person is on the hub. Each person has one.
type Role string

// The roles.
const (
	NoRole   Role = ""         // came by single sign-on; nobody has given a role yet
	Reader   Role = "reader"   // looks, and changes nothing
	Mediator Role = "mediator" // calls residents back; knows how the bornes are
	Agent    Role = "agent"    // watches the bornes of a house, and helps them along
	IT       Role = "it"       // puts bornes into service and mends them
	Admin    Role = "admin"    // all of that, and who may do what
)

// Roles lists the roles that can be given, from the least to the most.
func Roles() []Role { return []Role{Reader, Mediator, Agent, IT, Admin} }

// given reports whether the role is one of those that can be given.
func (r Role) given() bool { return slices.Contains(Roles(), r) }

// Label names a role for people.
func (r Role) Label() string {
	switch r {
	case Reader:
		return "Lecture seule"
	case Mediator:
		return "Médiation"
	case Agent:
		return "Agent"
	case IT:
		return "Informatique"
	case Admin:
		return "Administration"
	}
	return "Aucun accès"
}

// About says in a sentence what somebody with the role may do.
func (r Role) About() string {
	switch r {
	case Reader:
		return "Voit les bornes et les alertes, sans rien changer."
	case Mediator:
		return "Rappelle les habitants\u00a0; voit les bornes et les alertes, et affiche un message sur une borne."
	case Agent:
		return "Suit les bornes : message, relance de l’application, capture d’écran, hors service."
	case IT:
		return "Met les bornes en service et les dépanne : profils, déploiements, redémarrage, journaux techniques, règles d’alerte."
	case Admin:
		return "Gère tout, dont les agents, la connexion et le journal."
	}
	return "Ne voit rien tant que l’administration n’a pas donné de rôle."
}

// Permission is one thing that a role may or may not do.
type Permission string

// The permissions.
const (
	FleetSee        Permission = "fleet.see"        // the fleet, one borne, its history
	BorneMessage    Permission = "borne.message"    // a message on the screen
	BorneCommand    Permission = "borne.command"    // restart the application, test print, volume, out of service and back
	BorneMaintain   Permission = "borne.maintain"   // restart the machine, update content
	BorneScreenshot Permission = "borne.screenshot" // ask for a picture of the screen, and see it
	BorneLogs       Permission = "borne.logs"       // fetch technical logs, and read them
	EnrolManage     Permission = "enrol.manage"     // sites, codes, revocation
	RolloutManage   Permission = "rollout.manage"   // what versions the fleet gets, and when
	ProfilesManage  Permission = "profiles.manage"  // settings of bornes, groups of sites
	AlertsSee       Permission = "alerts.see"
	AlertsManage    Permission = "alerts.manage"    // rules, quiet hours, addresses
	PeopleManage    Permission = "people.manage"    // agents and their roles
	SettingsManage  Permission = "settings.manage"  // how people sign in
	AuditSee        Permission = "audit.see"        // who did and saw what
	CallbacksSee    Permission = "callbacks.see"    // the mediators' queue: take requests, see who asks, call
	CallbacksManage Permission = "callbacks.manage" // its settings, and the list of city cards
	StatsSee        Permission = "stats.see"        // statistics, and the report made of them
	StatsManage     Permission = "stats.manage"     // whether they are open data
)

// allowed is the one table of who may do what.
//
// Mediators and readers see no screen and no log: a borne's screen may show
// what a resident is doing, and that is for those who have to mend it. Logs,
// restarts of the machine and identities are for IT. The audit log tells what
// colleagues did: administrators read it, and IT, who must look into incidents.
// Who asks to be called back is for mediators, and whoever answers for them.
var allowed = map[Permission][]Role{
	FleetSee:        {Reader, Mediator, Agent, IT, Admin},
	AlertsSee:       {Reader, Mediator, Agent, IT, Admin},
	BorneMessage:    {Mediator, Agent, IT, Admin},
	BorneCommand:    {Agent, IT, Admin},
	BorneScreenshot: {Agent, IT, Admin},
	BorneMaintain:   {IT, Admin},
	BorneLogs:       {IT, Admin},
	EnrolManage:     {IT, Admin},
	RolloutManage:   {IT, Admin},
	ProfilesManage:  {IT, Admin},
	AlertsManage:    {IT, Admin},
	AuditSee:        {IT, Admin},
	PeopleManage:    {Admin},
	SettingsManage:  {Admin},
	CallbacksSee:    {Mediator, Admin},
	CallbacksManage: {Admin},
	StatsSee:        {Reader, Mediator, Agent, IT, Admin},
	StatsManage:     {Admin},
}

// Permissions lists every permission there is, in no order.
func Permissions() []Permission {
	var all []Permission
	for p := range allowed {
		all = append(all, p)
	}
	return all
}

// May reports whether the role may do something. Nobody may do what is not in
// the table.
func (r Role) May(p Permission) bool { return slices.Contains(allowed[p], r) }

// Who lists the roles that may do something.
func Who(p Permission) []Role { return slices.Clone(allowed[p]) }
