package command

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"parvis/cmd/parvis/internal/devices"
	"parvis/device"
	"parvis/device/reader"
	"parvis/device/supervise"
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
	Profile string `required:"" type:"existingfile" placeholder:"FICHIER" help:"Profil du site, qui a la clé et les lecteurs."`
	Medium  string `enum:"rfid,sans-contact,code" default:"rfid" help:"Avec --number, comment le badge est lu : rfid, sans-contact ou code."`
	Number  string `placeholder:"NUMÉRO" help:"UID du badge en hexadécimal, ou texte du code ; « - » le lit sur l’entrée standard. Sans cette option, montrez le badge à un lecteur de la borne."`
}

// Run prints the fingerprint.
func (c *BadgeFingerprint) Run(rt *Runtime) error {
	prof, err := profile.Load(c.Profile)
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(prof.Cards.Key)
	if err != nil || len(key) == 0 {
		return fmt.Errorf("%s : il manque la clé des badges ([cartes] cle). « parvis badge cle » en tire une", c.Profile)
	}
	medium, number, err := c.badge(rt, prof)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(rt.Stdout, hex.EncodeToString(card.Fingerprint(key, medium, number)))
	return err
}

// badge gives the badge that was named, or else shown.
func (c *BadgeFingerprint) badge(rt *Runtime, prof *profile.Profile) (reader.Medium, string, error) {
	if c.Number == "" {
		return shownBadge(rt, prof)
	}
	medium, err := card.ParseMedium(c.Medium)
	if err != nil {
		return "", "", fmt.Errorf("--medium : %w", err)
	}
	written := c.Number
	if written == "-" {
		if written, err = bufio.NewReader(os.Stdin).ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return "", "", fmt.Errorf("lecture du numéro : %w", err)
		}
	}
	number, err := card.ParseNumber(medium, strings.TrimSpace(written))
	if err != nil {
		return "", "", fmt.Errorf("--number : %w", err)
	}
	if medium == reader.RFID && printed.MatchString(number) {
		fmt.Fprintln(rt.Stderr, "Attention : cela ressemble au numéro imprimé sur le badge. Il faut son UID, en hexadécimal. Le plus sûr est de montrer le badge, sans --number.")
	}
	return medium, number, nil
}

// printed is how the number on a 125 kHz badge looks.
var printed = regexp.MustCompile(`^0[0-9]{9}$`)

// showPatience is how long a badge may take to be shown.
const showPatience = time.Minute

// shownBadge waits for a badge at one of the readers. What it reads is written
// nowhere.
func shownBadge(rt *Runtime, prof *profile.Profile) (reader.Medium, string, error) {
	seen := make(chan reader.Event, 1)
	set, err := devices.Open(prof, devices.Hands{
		Seen: func(e reader.Event) {
			if e.Present && (e.Several || e.Number+e.Text != "") {
				select {
				case seen <- e:
				case <-rt.Ctx.Done():
				}
			}
		},
		Headset: func(bool) {}, Count: func(string, string, int) {},
	})
	if err != nil {
		return "", "", err
	}
	loops := slices.DeleteFunc(set.Loops, func(l supervise.Loop) bool { return !slices.Contains(set.Readers, l.Name) })
	if len(loops) == 0 {
		return "", "", errors.New("le profil n’a pas de lecteur : donnez --number")
	}
	board, err := supervise.New(supervise.Options{Log: slog.New(slog.DiscardHandler)}, loops...)
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(rt.Ctx, showPatience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = board.Serve(ctx) // ends with ctx
	}()
	defer func() { cancel(); <-done }()
	fmt.Fprintln(rt.Stderr, "Montrez le badge à un lecteur de la borne : vous avez une minute.")
	select {
	case e := <-seen:
		return alone(rt, e, seen)
	case <-ctx.Done():
	}
	var state []string
	for _, e := range board.All() {
		if e.Fault != device.None {
			state = append(state, fmt.Sprintf("%s : %s (%s)", set.Title(e.Name), e.Fault.Info().Title, e.Cause))
		}
	}
	if state == nil {
		return "", "", errors.New("aucun badge n’a été vu en une minute")
	}
	return "", "", fmt.Errorf("aucun badge n’a été vu : %s. Si la borne tourne, elle garde ses lecteurs : arrêtez-la d’abord", strings.Join(state, " ; "))
}

// mediumWords are a profile's words for how a badge is read.
var mediumWords = map[reader.Medium]string{reader.RFID: "rfid", reader.Contactless: "sans-contact", reader.Code: "code"}

// together is how long a second card may take to be noticed.
const together = 1500 * time.Millisecond

// alone takes a badge that was shown, unless another lies beside it.
func alone(rt *Runtime, e reader.Event, seen <-chan reader.Event) (reader.Medium, string, error) {
	second := time.NewTimer(together)
	defer second.Stop()
	for !e.Several {
		select {
		case next := <-seen:
			e.Several = next.Several || next.Medium != e.Medium || next.Number != e.Number || next.Text != e.Text
		case <-second.C:
			fmt.Fprintf(rt.Stderr, "Badge lu (%s).\n", mediumWords[e.Medium])
			if e.Medium == reader.Code {
				return e.Medium, e.Text, nil
			}
			return e.Medium, e.Number, nil
		}
	}
	return "", "", errors.New("une seule carte à la fois : retirez l’autre et recommencez")
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
