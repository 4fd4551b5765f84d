// Package siteprofile finds the profile that a borne goes by: the hub's where
// there is one that it can start with, and otherwise its own.
package siteprofile

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"parvis/app/journey"
	"parvis/app/text"
	"parvis/cmd/parvis/internal/cards"
	"parvis/cmd/parvis/internal/devices"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
	"parvis/kiosk/ticket"
	"parvis/provisioning/profile"
)

// Folder is where the agent keeps the hub's profiles, in the borne's folder.
const Folder = "profile"

// Found is the profile that a borne goes by.
type Found struct {
	*profile.Profile
	Path    string
	Version string // of the hub's; empty for the borne's own
	// Refused says which profile of the hub's the borne does not go by although
	// it is in place; zero where there is none.
	Refused store.Refusal
}

// Shelf is where the hub's profiles lie in a borne's folder.
func Shelf(data string) shelf.Shelf {
	return shelf.Shelf{Dir: filepath.Join(data, Folder), Ending: ".toml"}
}

// Find finds the profile that the borne with this folder goes by: the hub's, or
// else the hub's last good one, or else its own. The error is about its own.
func Find(data, own string) (Found, error) {
	var found Found
	s := Shelf(data)
	for _, link := range []string{shelf.Current, shelf.Previous} {
		version, err := s.Version(link)
		if err == nil && version == "" {
			break // there is none of the hub's
		}
		if err == nil {
			found.Profile, err = Load(s.Path(version))
		}
		if err == nil {
			found.Path, found.Version = s.Path(version), version
			return found, nil
		}
		if found.Refused.Version == "" {
			found.Refused = store.Refusal{Version: version, Since: time.Now().UTC(), Why: strings.ReplaceAll(err.Error(), s.Dir+"/", "")}
		}
	}
	var err error
	found.Path = own
	found.Profile, err = profile.Load(own)
	return found, err
}

// Load reads a profile that a borne is to start with, and refuses what would
// keep it from that.
func Load(path string) (*profile.Profile, error) {
	p, err := profile.Load(path)
	if err != nil {
		return nil, err
	}
	if err := Check(p); err != nil {
		return nil, fmt.Errorf("%s : %w", path, err)
	}
	return p, nil
}

// Check tells what in a profile would keep a borne from starting.
func Check(p *profile.Profile) error {
	_, rules := cards.Rules(p)
	_, pin := card.ParsePIN(p.Maintenance.Code)
	site, house := Site(p)
	var lit error
	if p.Screen.On != "" {
		if _, lit = hours.Parse(p.Screen.On, site.Region); lit != nil {
			lit = fmt.Errorf("ecran.allumage : %w", lit)
		}
	}
	_, recipients := callback.ParseRecipients(p.Callback.Recipients)
	_, open := devices.Open(p, devices.Hands{})
	texts, words := text.Load()
	err := errors.Join(rules, pin, house, lit, recipients, open, words)
	if words != nil {
		return err
	}
	for _, code := range site.Languages {
		if !texts.Known(code) {
			err = errors.Join(err, fmt.Errorf("site.langues : la langue %q n’existe pas", code))
		}
	}
	return err
}

// Site is the house that a profile speaks of.
func Site(p *profile.Profile) (journey.Site, error) {
	s := p.Site
	region, err := hours.ParseRegion(s.Region)
	if err != nil {
		return journey.Site{}, fmt.Errorf("site.region : %w", err)
	}
	site := journey.Site{
		ID: s.ID, Name: s.Name, Address: address(s), Phone: cmp.Or(s.Phone, p.Contacts.Desk.Phone),
		Desk: journey.Contact(p.Contacts.Desk), Mediator: journey.Contact(p.Contacts.Mediator), IT: journey.Contact(p.Contacts.IT),
		Wifi:     ticket.Wifi{Name: p.Wifi.Name, Password: p.Wifi.Password, Note: p.Wifi.Note},
		Position: place.Point{Lat: s.Lat, Lon: s.Lon}, Region: region, Languages: s.Languages,
	}
	if s.Opening != "" {
		if site.Opening, err = hours.Parse(s.Opening, region); err != nil {
			return site, fmt.Errorf("site.ouverture : %w", err)
		}
	}
	if site.Mediators, err = hours.Parse(s.Mediators, region); err != nil {
		return site, fmt.Errorf("site.mediateurs : %w", err)
	}
	return site, nil
}

// address is a house's on one line, as far as it is told.
func address(s profile.Site) string {
	town := strings.TrimSpace(s.PostCode + " " + s.Town)
	if s.Address == "" || town == "" {
		return s.Address + town
	}
	return s.Address + ", " + town
}

// News tells whether another profile of the hub's is in place than when f was
// found; the error is why the borne would not go by it.
func (f Found) News(data string) (any bool, err error) {
	s := Shelf(data)
	version, err := s.Version(shelf.Current)
	if err != nil || version == f.Version || version != "" && version == f.Refused.Version {
		return false, err
	}
	if version == "" {
		return true, nil
	}
	if _, err = Load(s.Path(version)); err != nil {
		return true, errors.New(strings.ReplaceAll(err.Error(), s.Dir+"/", ""))
	}
	return true, nil
}
