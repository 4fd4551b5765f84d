package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parvis/provisioning/enrol"
)

type enrolCmd struct {
	Hub   string `arg:"" help:"Adresse du hub : hôte:port."`
	Codes string `required:"" type:"existingfile" help:"Codes, un objet JSON par ligne."`
	Dir   string `required:"" type:"path" help:"Dossier où garder les identités, une par sous-dossier."`
	Tasks int    `default:"16" help:"Combien à la fois."`
}

// Run enrols a borne for each code, as a real one would be.
func (c *enrolCmd) Run(ctx context.Context) error {
	codes, err := readCodes(c.Codes)
	if err != nil {
		return err
	}
	began := time.Now()
	todo := make(chan wanted)
	var mu sync.Mutex
	var wrong []error
	var all sync.WaitGroup
	for range c.Tasks {
		all.Go(func() {
			for w := range todo {
				if _, err := enrol.Enrol(ctx, c.Hub, w.code, filepath.Join(c.Dir, w.borne), enrol.Options{}); err != nil {
					mu.Lock()
					wrong = append(wrong, fmt.Errorf("%s : %w", w.borne, err))
					mu.Unlock()
				}
			}
		})
	}
	for _, w := range codes {
		todo <- w
	}
	close(todo)
	all.Wait()
	took := time.Since(began)
	fmt.Printf("%d bornes enrôlées en %v (%.0f par seconde), %d échecs\n",
		len(codes)-len(wrong), took.Round(time.Millisecond), float64(len(codes)-len(wrong))/took.Seconds(), len(wrong))
	return errors.Join(wrong[:min(len(wrong), 5)]...)
}

// wanted is a borne that may be enrolled.
type wanted struct {
	borne string
	code  enrol.Code
}

func readCodes(path string) ([]wanted, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []wanted
	for d := json.NewDecoder(f); d.More(); {
		var line struct{ Code, Borne string }
		if err := d.Decode(&line); err != nil {
			return nil, fmt.Errorf("%s : objet %d : %w", path, len(all)+1, err)
		}
		code, err := enrol.ParseCode(line.Code)
		if err != nil {
			return nil, fmt.Errorf("%s : objet %d : %w", path, len(all)+1, err)
		}
		all = append(all, wanted{line.Borne, code})
	}
	return all, nil
}
