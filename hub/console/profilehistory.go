package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/provisioning/profile"
)

// versionView is the page of one version of a layer.
type versionView struct {
	profiles.Node
	Path    string
	Version store.ProfileLayer
	Before  store.ProfileLayer // the version before it; N is 0 for none
	Diff    []diffLine
	Newest  bool
}

// diffLine is a line of the differences between two versions.
type diffLine struct {
	Kind string // "added", "removed", "same" or "gap"
	N    int    // its number in the text that has it
	Text string
}

func (c *Console) layerVersion(r *http.Request) (node profiles.Node, version store.ProfileLayer, err error) {
	ctx := r.Context()
	if node, err = c.layerNode(ctx, r); err != nil {
		return node, version, err
	}
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return node, version, errNoPage
	}
	version, err = c.Store.ProfileVersion(ctx, node.Scope, node.Object, n)
	return node, version, err
}

func (c *Console) layerVersionPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	node, version, err := c.layerVersion(r)
	if err != nil {
		return err
	}
	return c.showVersion(w, r, v, node, version, nil)
}

func (c *Console) showVersion(w http.ResponseWriter, r *http.Request, v *visitor, node profiles.Node, version store.ProfileLayer, mistakes formErrors) error {
	before, err := c.Store.ProfileBefore(r.Context(), node.Scope, node.Object, version.N)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	data := versionView{Node: node, Path: layerPath(node.Layer), Version: version, Before: before,
		Diff: differences(before.Text, version.Text), Newest: version.N == node.Newest.N}
	return c.render(w, r, v, "profileversion", view{Title: "Version " + strconv.FormatInt(version.N, 10) + " : " + node.Name, Data: data, Errors: mistakes})
}

// diffContext is how many lines that have not changed stand around those that have.
const diffContext = 3

// differences lists what was taken out of a text and put into it.
func differences(before, after string) []diffLine {
	a, b := textLines(before), textLines(after)
	var lines []diffLine
	for i, group := range difflib.NewMatcher(a, b).GetGroupedOpCodes(diffContext) {
		if i > 0 {
			lines = append(lines, diffLine{Kind: "gap"})
		}
		for _, op := range group {
			if op.Tag == 'e' {
				for n := op.J1; n < op.J2; n++ {
					lines = append(lines, diffLine{"same", n + 1, b[n]})
				}
				continue
			}
			for n := op.I1; n < op.I2; n++ {
				lines = append(lines, diffLine{"removed", n + 1, a[n]})
			}
			for n := op.J1; n < op.J2; n++ {
				lines = append(lines, diffLine{"added", n + 1, b[n]})
			}
		}
	}
	return lines
}

func textLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// undoLayer makes a new version with the text of an older one.
func (c *Console) undoLayer(w http.ResponseWriter, r *http.Request, v *visitor) error {
	node, version, err := c.layerVersion(r)
	if err != nil {
		return err
	}
	why := "Reprise de la version " + strconv.FormatInt(version.N, 10) + "."
	change := profiles.Change{Layer: node.Layer, Text: version.Text, Why: why, By: v.Name, Base: node.Newest.N}
	if _, err := c.Profiles.Try(r.Context(), change); err != nil {
		return c.refuseUndo(w, r, v, node, version, err)
	}
	if err := c.auditLayer(r, v, node, why); err != nil {
		return err
	}
	effect, err := c.Profiles.Save(r.Context(), change)
	if err != nil {
		return c.refuseUndo(w, r, v, node, version, err)
	}
	return c.redirect(w, r, layerPath(node.Layer), "Le texte de la version "+strconv.FormatInt(version.N, 10)+" est de nouveau en place. "+effectText(effect))
}

func (c *Console) refuseUndo(w http.ResponseWriter, r *http.Request, v *visitor, node profiles.Node, version store.ProfileLayer, err error) error {
	var breaks profiles.BreaksError
	var wrong profile.Errors
	var mistakes formErrors
	switch {
	case errors.As(err, &breaks):
		mistakes = breakMistakes("", breaks)
	case errors.As(err, &wrong):
		mistakes.add("", "Ce texte n’est plus accepté tel quel : copiez-le dans la couche et corrigez-le.")
		for _, p := range wrong {
			mistakes.add("", problemText(p, false))
		}
	case errors.Is(err, profiles.ErrSame):
		mistakes.add("", "Ce texte est déjà celui qui est en place.")
	case errors.Is(err, profiles.ErrOutdated):
		mistakes.add("", "Quelqu’un d’autre a changé cette couche à l’instant : relisez l’historique.")
	default:
		return err
	}
	return c.showVersion(w, r, v, node, version, mistakes)
}
