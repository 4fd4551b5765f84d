package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"parvis/kiosk/hours"
)

// Hours reads opening hours and lists when they say open. By itself it keeps to
// the letter of the OSM standard, so that it can be compared with other
// readers; with --public-holidays it says what the borne tells residents.
type Hours struct {
	Strings []string `arg:"" optional:"" name:"horaires" help:"Horaires au format OSM (opening_hours)."`

	From           string `placeholder:"AAAA-MM-JJ" help:"Premier jour (aujourd’hui si absent)."`
	Days           int    `default:"7" help:"Nombre de jours."`
	Region         string `default:"metropole" help:"Région des jours fériés : metropole, alsace-moselle …"`
	Batch          string `placeholder:"FILE" help:"Fichier avec un horaire par ligne (- pour l’entrée standard)."`
	PublicHolidays bool   `help:"Ferme aussi les jours fériés dont le texte ne dit rien, comme la borne l’annonce aux habitants."`
}

// hoursLine is the answer to one string: its open intervals or why it can't be
// read.
type hoursLine struct {
	Hours string       `json:"hours"`
	Open  *[][2]string `json:"open,omitempty"`
	Error string       `json:"error,omitempty"`
}

// maxHoursDays bounds one question, in days.
const maxHoursDays = 3660

// Run prints one JSON document for each string, in order.
func (c *Hours) Run(rt *Runtime) error {
	region, err := hours.ParseRegion(c.Region)
	if err != nil {
		return fmt.Errorf("--region : %w", err)
	}
	from, err := c.start(rt.Now())
	if err != nil {
		return err
	}
	if c.Days < 1 || c.Days > maxHoursDays {
		return fmt.Errorf("--days : entre 1 et %d jours", maxHoursDays)
	}
	if len(c.Strings) == 0 && c.Batch == "" {
		return errors.New("donnez un horaire, ou un fichier avec --batch")
	}
	to := from.AddDate(0, 0, c.Days)
	for _, s := range c.Strings {
		if err := rt.WriteJSON(c.answer(s, region, from, to)); err != nil {
			return err
		}
	}
	if c.Batch == "" {
		return nil
	}
	return eachLine(c.Batch, func(s string) error { return rt.WriteJSON(c.answer(s, region, from, to)) })
}

func (c *Hours) start(now time.Time) (time.Time, error) {
	if c.From == "" {
		y, m, d := now.In(hours.Paris).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, hours.Paris), nil
	}
	from, err := time.ParseInLocation(time.DateOnly, c.From, hours.Paris)
	if err != nil {
		return from, fmt.Errorf("--from : « %s » n’est pas une date AAAA-MM-JJ", c.From)
	}
	return from, nil
}

func (c *Hours) answer(s string, region hours.Region, from, to time.Time) hoursLine {
	sch, err := hours.Parse(s, region)
	if err != nil {
		return hoursLine{Hours: s, Error: err.Error()}
	}
	list := sch.Written
	if c.PublicHolidays {
		list = sch.Open
	}
	open := [][2]string{}
	for _, iv := range list(from, to) {
		open = append(open, [2]string{iv.Start.Format(time.RFC3339), iv.End.Format(time.RFC3339)})
	}
	return hoursLine{Hours: s, Open: &open}
}

// eachLine hands out a file's lines without their ends.
func eachLine(name string, do func(string) error) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s : fichier introuvable", name)
		}
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			if err := do(strings.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s : %w", name, err)
		}
	}
}
