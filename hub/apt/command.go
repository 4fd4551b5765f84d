package apt

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"text/template"
	"time"
)

//go:embed borne.sh
var script string

// OneCommand serves the script that makes a borne of a machine: console is the
// address of the people's port, as https://parvis.ville.fr, and hub where bornes
// reach it, as parvis.ville.fr:8443. The script carries the repository's key.
func (r *Repository) OneCommand(console, hub string) (http.Handler, error) {
	t, err := template.New("borne.sh").Funcs(template.FuncMap{"quote": quote}).Parse(script)
	if err != nil {
		return nil, err
	}
	for _, address := range []string{console, hub} {
		if strings.ContainsAny(address, "\n\r") {
			return nil, fmt.Errorf("adresse sur plusieurs lignes : %q", address)
		}
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{"URL": strings.TrimSuffix(console, "/"), "Hub": hub, "Key": string(r.armored), "Suite": Suite, "Component": Component})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		made(out.Bytes(), "text/x-shellscript; charset=utf-8", time.Time{}).Serve(w, req)
	}), nil
}

// quote makes one word of the shell's of a text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
