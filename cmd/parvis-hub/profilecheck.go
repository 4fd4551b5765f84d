package main

import (
	"fmt"

	"parvis/app/text"
	"parvis/device/printer/escpos"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/hours"
	"parvis/provisioning/profile"
)

// borneChecks are what a borne checks of its profile when it starts, beyond what
// package profile knows: a hub hands out none that would not start.
func borneChecks() ([]profile.Further, error) {
	texts, err := text.Load()
	if err != nil {
		return nil, fmt.Errorf("textes de la borne : %w", err)
	}
	return []profile.Further{checkHours, checkKeys, checkPrinter, func(p *profile.Profile) map[string]error {
		wrong := map[string]error{}
		for i, code := range p.Site.Languages {
			if !texts.Known(code) {
				wrong[fmt.Sprintf("site.langues[%d]", i)] = fmt.Errorf("la langue « %s » n’existe pas sur les bornes", code)
			}
		}
		return wrong
	}}, nil
}

// checkHours reads the opening hours.
func checkHours(p *profile.Profile) map[string]error {
	wrong := map[string]error{}
	region, err := hours.ParseRegion(p.Site.Region)
	if err != nil {
		region = hours.Metropole // the region itself is told of elsewhere
	}
	for key, rules := range map[string]string{"site.ouverture": p.Site.Opening, "site.mediateurs": p.Site.Mediators, "ecran.allumage": p.Screen.On} {
		if rules == "" && key != "site.mediateurs" {
			continue
		}
		if _, err := hours.Parse(rules, region); err != nil {
			wrong[key] = err
		}
	}
	return wrong
}

// checkKeys reads the keys that requests are sealed to, and the code for staff.
func checkKeys(p *profile.Profile) map[string]error {
	wrong := map[string]error{}
	for i, key := range p.Callback.Recipients {
		if _, err := callback.ParseRecipients([]string{key}); err != nil {
			wrong[fmt.Sprintf("rappel.destinataires[%d]", i)] = err
		}
	}
	if _, err := card.ParsePIN(p.Maintenance.Code); err != nil {
		wrong["maintenance.code"] = err
	}
	return wrong
}

func checkPrinter(p *profile.Profile) map[string]error {
	if p.Printer.Model == "" {
		return nil
	}
	model, err := escpos.LoadModel(p.Printer.Model)
	if err != nil {
		if like := profile.Closest(p.Printer.Model, escpos.Models()); like != "" {
			err = fmt.Errorf("%w ; vouliez-vous « %s » ?", err, like)
		}
		return map[string]error{"imprimante.modele": err}
	}
	if model.Status == escpos.StatusCustom && p.Printer.Flow == "xon" {
		return map[string]error{"imprimante.flux": fmt.Errorf("« xon » ne va pas avec « %s », dont l’état contient ces mêmes octets : prenez « rts »", model.Name)}
	}
	return nil
}
