package command

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"parvis/kiosk/card"
	"parvis/provisioning/profile"
)

// Badge groups the commands that make what a profile holds about badges. None
// of them writes a badge's number or a code anywhere.
type Badge struct {
	Cle       BadgeKey         `cmd:"" help:"Tire au sort la clé des badges d’un site ([cartes] cle)."`
	Empreinte BadgeFingerprint `cmd:"" help:"Donne l’empreinte d’un badge, pour le profil ([[badges]] empreinte)."`
	Code      BadgeCode        `cmd:"" help:"Lit un code et donne son empreinte, pour le profil ([maintenance] code)."`
}

// BadgeKey draws a key.
type BadgeKey struct{}

// Run prints the key.
func (c *BadgeKey) Run(rt *Runtime) error {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	_, err := fmt.Fprintln(rt.Stdout, hex.EncodeToString(key))
	return err
}

// BadgeFingerprint makes the fingerprint of one badge.
type BadgeFingerprint struct {
	Profile string `required:"" type:"existingfile" placeholder:"FICHIER" help:"Profil du site, qui a la clé."`
	Medium  string `enum:"rfid,sans-contact,code" default:"rfid" help:"Comment le badge est lu : rfid, sans-contact ou code."`
	Number  string `required:"" placeholder:"NUMÉRO" help:"UID du badge en hexadécimal, ou texte du code."`
}

// Run prints the fingerprint.
func (c *BadgeFingerprint) Run(rt *Runtime) error {
	prof, err := profile.Load(c.Profile)
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(prof.Cards.Key)
	if err != nil || len(key) == 0 {
		return fmt.Errorf("%s : il manque la clé des badges ([cartes] cle). « parvis badge cle » en tire une", c.Profile)
	}
	medium, err := card.ParseMedium(c.Medium)
	if err != nil {
		return fmt.Errorf("--medium : %w", err)
	}
	number, err := card.ParseNumber(medium, c.Number)
	if err != nil {
		return fmt.Errorf("--number : %w", err)
	}
	_, err = fmt.Fprintln(rt.Stdout, hex.EncodeToString(card.Fingerprint(key, medium, number)))
	return err
}

// BadgeCode hashes a PIN.
type BadgeCode struct{}

// Run reads the PIN from the terminal, twice and without showing it, or else
// from the first line of the standard input.
func (c *BadgeCode) Run(rt *Runtime) error {
	in := bufio.NewReader(os.Stdin)
	pin, err := askPIN(rt.Stderr, in, "Code (de 4 à 12 chiffres) : ")
	if err != nil {
		return err
	}
	defer clear(pin)
	if isTerminal(os.Stdin) {
		again, err := askPIN(rt.Stderr, in, "Le même code : ")
		if err != nil {
			return err
		}
		defer clear(again)
		if !bytes.Equal(pin, again) {
			return errors.New("les deux codes ne sont pas les mêmes")
		}
	}
	hash, err := card.HashPIN(pin)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(rt.Stdout, hash)
	return err
}

// askPIN reads a line; on a terminal it first asks for it, and what is typed is
// not shown.
func askPIN(ask io.Writer, in *bufio.Reader, question string) ([]byte, error) {
	if isTerminal(os.Stdin) {
		restore, err := hideTyping(os.Stdin)
		if err != nil {
			return nil, fmt.Errorf("terminal : %w", err)
		}
		defer func() {
			restore()
			fmt.Fprintln(ask)
		}()
		fmt.Fprint(ask, question)
	}
	line, err := in.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("lecture du code : %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// hideTyping stops a terminal from showing what is typed, until restore.
func hideTyping(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }, nil
}
