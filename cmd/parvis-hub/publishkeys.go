package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"parvis/hub/packs"
	"parvis/provisioning/pack"
)

// passphrase is what opens key files, and seals new ones.
type passphrase struct {
	PassphraseFile string `type:"existingfile" placeholder:"FICHIER" help:"Fichier dont la première ligne est la phrase de passe des clés ; sinon elle est demandée."`
}

// words are in the file, or what somebody types. They are "" where nobody is
// there to type.
func (p passphrase) words(rt *runtime, question string) (string, error) {
	if p.PassphraseFile != "" {
		data, err := os.ReadFile(p.PassphraseFile)
		line, _, _ := strings.Cut(string(data), "\n")
		if line = strings.TrimSpace(line); err == nil && line == "" {
			err = fmt.Errorf("%s : la première ligne est vide", p.PassphraseFile)
		}
		return line, err
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", nil
	}
	fmt.Fprintf(rt.stderr, "%s : ", question)
	typed, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(rt.stderr)
	return string(typed), err
}

// read reads a key file.
func (p passphrase) read(rt *runtime, name string) (pack.Key, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return pack.Key{}, err
	}
	key, err := pack.ParseKey(data, func() (string, error) {
		words, err := p.words(rt, "Phrase de passe de "+name)
		if err == nil && words == "" {
			err = errors.New("cette clé a une phrase de passe : donnez-la par --passphrase-file")
		}
		return words, err
	})
	if err != nil {
		return key, fmt.Errorf("%s : %w", name, err)
	}
	return key, nil
}

// fresh asks for a passphrase for new keys, twice where it is typed.
func (p passphrase) fresh(rt *runtime) (string, error) {
	words, err := p.words(rt, "Phrase de passe des nouvelles clés (vide : aucune)")
	if err != nil || words == "" || p.PassphraseFile != "" {
		return words, err
	}
	again, err := p.words(rt, "La même, encore une fois")
	if err == nil && again != words {
		err = errors.New("les deux phrases diffèrent : recommencez")
	}
	return words, err
}

// advice stands at the head of each key file, by its role.
var advice = map[pack.Role]string{
	pack.RoleRoot: "Elle remplace les clés perdues ou volées, et ne sert à rien d’autre.\n" +
		"Gardez-la hors de tout ordinateur, chaque clé de racine en un autre lieu sûr.",
	pack.RolePublisher: "Elle signe les contenus : qui l’a peut en publier, avec l’accès au hub.\n" +
		"Gardez-la hors du hub ; n’en donnez de copie qu’à qui publie.",
}

// writeKeys writes keys as new files in a folder, and returns their names. On
// failure none is left.
func writeKeys(dir, words string, keys []packs.Fresh) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, name := range names {
				err = errors.Join(err, os.Remove(name))
			}
		}
	}()
	for _, k := range keys {
		data, err := k.Key.Marshal(fmt.Sprintf("Clé de %s n° %s des contenus Parvis.\n%s", k.Role, k.Key.Number(), advice[k.Role]), words)
		if err != nil {
			return names, err
		}
		name := filepath.Join(dir, fmt.Sprintf("%s-%s.key", k.Role, k.Key.Number()))
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return names, err
		}
		names = append(names, name)
		_, err = f.Write(data)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return names, err
		}
	}
	return names, nil
}

type publishKeysCmd struct {
	base
	passphrase
	Folder    string `arg:"" type:"path" help:"Dossier où écrire les clés : une clé USB plutôt que le hub."`
	Roots     int    `default:"3" help:"Nombre de clés de racine."`
	Threshold int    `default:"2" help:"Combien d’entre elles il faut ensemble."`
}

// Validate refuses what could never be changed again.
func (c *publishKeysCmd) Validate() error {
	switch {
	case c.Threshold < 1, c.Roots > 9:
		return errors.New("de 1 à 9 clés de racine, dont il faut au moins une")
	case c.Threshold > c.Roots:
		return fmt.Errorf("--threshold=%d : pas plus que de clés de racine (--roots=%d)", c.Threshold, c.Roots)
	}
	return nil
}

func (c *publishKeysCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	p := packsOf(hub, rt)
	if _, err := p.Status(rt.ctx); err == nil {
		return packs.ErrKeys
	} else if !errors.Is(err, packs.ErrNone) {
		return err
	}
	words, err := c.fresh(rt)
	if err != nil {
		return err
	}
	var keys []packs.Fresh
	var roots []pack.Key
	for range c.Roots + 1 {
		key, err := pack.NewKey()
		if err != nil {
			return err
		}
		role := pack.RoleRoot
		if len(roots) == c.Roots {
			role = pack.RolePublisher
		} else {
			roots = append(roots, key)
		}
		keys = append(keys, packs.Fresh{Role: role, Key: key})
	}
	names, err := writeKeys(c.Folder, words, keys)
	if err != nil {
		return err
	}
	if err := p.Create(rt.ctx, roots, c.Threshold, keys[c.Roots].Key); err != nil {
		if err := settle(rt.ctx, p, keys, names, err); err != nil {
			return err
		}
	}
	fmt.Fprintln(rt.stdout, "Clés faites :")
	for _, name := range names {
		fmt.Fprintln(rt.stdout, "  "+name)
	}
	fmt.Fprintf(rt.stdout, "Mettez chaque clé de racine en un autre lieu sûr, puis effacez-les d’ici. Pour remplacer une clé, il en faut %d sur %d.\n", c.Threshold, c.Roots)
	if words == "" {
		fmt.Fprintln(rt.stdout, "Ces clés n’ont pas de phrase de passe : qui a le fichier a la clé.")
	}
	return nil
}

// settle finds out what has become of a change of keys that ended in failure, for
// the answer may be lost and not the change. Files of keys are removed only where
// the hub goes by none of them; nil where it does.
func settle(ctx context.Context, p *packs.Packs, keys []packs.Fresh, names []string, failure error) error {
	if len(names) == 0 {
		return fmt.Errorf("aucune clé n’est changée : %w", failure)
	}
	s, err := p.Status(context.WithoutCancel(ctx))
	if err != nil && !errors.Is(err, packs.ErrNone) {
		return fmt.Errorf("%w\nOn ne sait pas si le hub a pris les nouvelles clés : gardez %s jusqu’à ce que « parvis-hub publish list » réponde ; "+
			"effacez celles qu’il ne nomme pas", failure, strings.Join(names, ", "))
	}
	for _, k := range keys {
		if slices.ContainsFunc(s.Keys, func(in pack.KeyInfo) bool { return in.Number() == k.Key.Number() }) {
			return nil
		}
	}
	for _, name := range names {
		failure = errors.Join(failure, os.Remove(name))
	}
	return fmt.Errorf("aucune clé n’est changée : %w", failure)
}

type publishRotateCmd struct {
	base
	passphrase
	Folder  string   `arg:"" type:"path" help:"Dossier où écrire les nouvelles clés."`
	Root    []string `required:"" type:"existingfile" placeholder:"FICHIER" help:"Une clé de racine ; à donner autant de fois qu’il en faut."`
	Replace []string `placeholder:"NUMÉRO" help:"Numéro d’une clé à remplacer, donné par « publish list ». Sans numéro, la racine est seulement prolongée."`
}

func (c *publishRotateCmd) Run(rt *runtime) error {
	var signers []pack.Key
	for _, name := range c.Root {
		key, err := c.read(rt, name)
		if err != nil {
			return err
		}
		signers = append(signers, key)
	}
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	var names []string
	var made []packs.Fresh
	p := packsOf(hub, rt)
	err = p.Rotate(rt.ctx, signers, c.Replace, func(fresh []packs.Fresh) error {
		if len(fresh) == 0 {
			return nil
		}
		made = fresh
		words, err := c.fresh(rt)
		if err != nil {
			return err
		}
		names, err = writeKeys(c.Folder, words, fresh)
		return err
	})
	if err != nil {
		if err := settle(rt.ctx, p, made, names, err); err != nil {
			return err
		}
	}
	if len(c.Replace) == 0 {
		fmt.Fprintln(rt.stdout, "La racine est prolongée.")
		return nil
	}
	fmt.Fprintf(rt.stdout, "%d clés remplacées : les anciennes ne valent plus rien. Les bornes l’apprennent avec leurs prochains contenus.\n", len(c.Replace))
	for _, name := range names {
		fmt.Fprintln(rt.stdout, "  nouvelle : "+name)
	}
	return nil
}
