package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/provisioning/profile"
)

// layerView is the page of one layer.
type layerView struct {
	profiles.Node
	Path     string
	Text     string // as typed
	Why      string
	Base     int64 // the version that Text was made from
	Lines    []codeLine
	Effect   *profiles.Effect // of a trial that went well
	AskFirst bool             // bornes would leave their own file, and nobody has said yes
	History  []store.ProfileLayer
	Older    bool // there are more versions than those listed
}

// codeLine is a line of a text with what is wrong with it.
type codeLine struct {
	Text  string
	Wrong []string
}

// The most that a layer and its reason may have.
const (
	maxLayer = 100 << 10 // bytes
	maxWhy   = 200       // letters
)

// historyShown is how many versions the page of a layer lists.
const historyShown = 30

func (c *Console) layerPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	node, err := c.layerNode(r.Context(), r)
	if err != nil {
		return err
	}
	return c.showLayer(w, r, v, layerView{Node: node, Text: node.Newest.Text, Base: node.Newest.N}, nil)
}

func (c *Console) showLayer(w http.ResponseWriter, r *http.Request, v *visitor, data layerView, mistakes formErrors) error {
	history, err := c.Store.ProfileHistory(r.Context(), data.Scope, data.Object, historyShown+1)
	if err != nil {
		return err
	}
	data.Path = layerPath(data.Layer)
	data.History, data.Older = history[:min(len(history), historyShown)], len(history) > historyShown
	return c.render(w, r, v, "profilelayer", view{Title: "Profil : " + data.Name, Data: data, Errors: mistakes})
}

func (c *Console) saveLayer(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	node, err := c.layerNode(ctx, r)
	if err != nil {
		return err
	}
	data := layerView{Node: node, Text: typedText(r.PostFormValue("texte")), Why: oneLine(r.PostFormValue("pourquoi"))}
	if data.Base, err = strconv.ParseInt(r.PostFormValue("base"), 10, 64); err != nil {
		return errBadForm
	}
	trial := r.PostFormValue("faire") == "essai"
	var mistakes formErrors
	switch n := utf8.RuneCountInString(data.Why); {
	case len(data.Text) > maxLayer:
		mistakes.add("texte", fmt.Sprintf("Le texte a %d Ko ; il en faut %d au plus.", len(data.Text)>>10, maxLayer>>10))
	case n == 0 && !trial:
		mistakes.add("pourquoi", "Dites en quelques mots pourquoi : c’est ce que verront vos collègues dans l’historique.")
	case n > maxWhy:
		mistakes.add("pourquoi", fmt.Sprintf("%d lettres au plus.", maxWhy))
	}
	if len(mistakes) > 0 {
		return c.showLayer(w, r, v, data, mistakes)
	}
	change := profiles.Change{Layer: node.Layer, Text: data.Text, Why: data.Why, By: v.Name, Base: data.Base}
	if data.Effect, err = c.Profiles.Try(ctx, change); err != nil {
		return c.refuseLayer(w, r, v, data, err)
	}
	if data.AskFirst = len(data.Effect.First) > 0 && r.PostFormValue("premier") == ""; trial || data.AskFirst {
		if !trial {
			mistakes.add("premier", "Cochez la case : des bornes quittent leur propre fichier pour celui du hub.")
		}
		return c.showLayer(w, r, v, data, mistakes)
	}
	if err := c.auditLayer(r, v, node, data.Why); err != nil {
		return err
	}
	effect, err := c.Profiles.Save(ctx, change)
	if err != nil {
		return c.refuseLayer(w, r, v, data, err)
	}
	return c.redirect(w, r, layerPath(node.Layer), "La couche est enregistrée. "+effectText(effect))
}

func (c *Console) auditLayer(r *http.Request, v *visitor, node profiles.Node, why string) error {
	e := people.Entry{Action: people.ProfileSaved, Object: node.Name, Detail: map[string]string{"pourquoi": why}}
	if node.Scope == store.BorneProfile {
		e.Borne = node.Object
	}
	return c.audit(r, v, e)
}

// typedText is a text as a browser sends it, with the lines' ends of a file.
func typedText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if s = strings.TrimRight(s, " \t\n"); s != "" {
		s += "\n"
	}
	return s
}

// refuseLayer shows the form again with why the change is not made.
func (c *Console) refuseLayer(w http.ResponseWriter, r *http.Request, v *visitor, data layerView, err error) error {
	var breaks profiles.BreaksError
	var wrong profile.Errors
	var mistakes formErrors
	data.Effect = nil
	switch {
	case errors.As(err, &breaks):
		mistakes = breakMistakes("texte", breaks)
	case errors.As(err, &wrong):
		for _, p := range wrong {
			mistakes.add("texte", problemText(p, false))
		}
		data.Lines = codeLines(data.Text, wrong)
	case errors.Is(err, profiles.ErrOutdated):
		mistakes.add("texte", "Quelqu’un d’autre a changé cette couche entre-temps : voyez l’historique. Votre texte est gardé ici ; si vous l’enregistrez, il remplace le sien.")
		data.Base = data.Newest.N
	case errors.Is(err, profiles.ErrSame):
		mistakes.add("texte", "Ce texte est celui qui est en place : rien n’est à enregistrer.")
	default:
		return err
	}
	return c.showLayer(w, r, v, data, mistakes)
}

// breakMistakes names the bornes that a change would break, and why.
func breakMistakes(field string, breaks profiles.BreaksError) formErrors {
	var mistakes formErrors
	for _, b := range breaks[:min(len(breaks), brokenShown)] {
		for _, line := range problemLines(b.Err) {
			mistakes.add(field, "La borne "+b.Borne+" ne pourrait plus démarrer : "+line)
		}
	}
	if more := len(breaks) - brokenShown; more > 0 {
		mistakes.add(field, "Et "+plural(more, "autre borne", "autres bornes")+".")
	}
	return mistakes
}

// problemLines says what is wrong with a profile, a line for each problem.
func problemLines(err error) []string {
	var lines []string
	for _, p := range profile.Problems(err) {
		lines = append(lines, spaces.Replace(problemText(p, true)))
	}
	return lines
}

// problemText is « Ligne 5 : ecran.largeur_mm : de 150 à 2000 millimètres »; of
// a whole profile with the layer's name.
func problemText(p profile.Problem, named bool) string {
	var parts []string
	where := ""
	if named && p.File != "" {
		where = p.File
	}
	if p.Line > 0 {
		line := "ligne " + strconv.Itoa(p.Line)
		if where != "" {
			where += ", " + line
		} else {
			where = "Ligne " + strconv.Itoa(p.Line)
		}
	}
	for _, part := range []string{where, strings.ReplaceAll(p.Key, ": ", " : "), p.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " : ")
}

// codeLines are the lines of a text, each with what is wrong with it.
func codeLines(text string, wrong profile.Errors) []codeLine {
	var lines []codeLine
	for line := range strings.Lines(text) {
		lines = append(lines, codeLine{Text: strings.TrimSuffix(line, "\n")})
	}
	for _, p := range wrong {
		if p.Line > 0 && p.Line <= len(lines) {
			at := &lines[p.Line-1]
			p.Line = 0
			at.Wrong = append(at.Wrong, spaces.Replace(problemText(p, false)))
		}
	}
	return lines
}

// effectText says what a change does.
func effectText(e *profiles.Effect) string {
	switch n := len(e.Changed); n {
	case 0:
		return "Aucune borne ne change de profil."
	case 1:
		return "La borne " + e.Changed[0] + " le prendra entre deux visites."
	default:
		return number(n) + fixed + "bornes le prendront entre deux visites."
	}
}
