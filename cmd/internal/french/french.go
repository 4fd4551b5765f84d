// Package french puts what the command-line library says by itself into French:
// IT staff read no English.
package french

import (
	"io"
	"strings"
)

var words = strings.NewReplacer(
	"Usage: ", "Utilisation : ",
	"Flags:", "Options :",
	"Commands:", "Commandes :",
	"Arguments:", "Arguments :",
	"[flags]", "[options]",
	"<command>", "<commande>",
	"Show context-sensitive help.", "Affiche cette aide.",
	` --help" for more information on a command.`, ` --help" : en savoir plus sur une commande.`,
	` --help" for more information.`, ` --help" : en savoir plus.`,
	"Run \"", "\"",
	": error: ", " : erreur : ",
	"missing flags: ", "il manque les options ",
	"missing positional arguments ", "il manque ",
	"unexpected argument ", "argument inattendu : ",
	"unexpected flag argument ", "argument d’option inattendu : ",
	"unknown flag ", "option inconnue : ",
	"expected one of ", "attendu, l’un de : ",
	"expected ", "attendu : ",
	"did you mean one of ", "vouliez-vous l’un de ",
	"did you mean ", "vouliez-vous ",
	"must be one of ", "doit être l’un de ",
	" but got ", ", et non ",
	"no command selected", "aucune commande choisie",
	"(default: ", "(par défaut : ",
	"file does not exist", "fichier introuvable",
	"no such file or directory", "fichier introuvable",
	"exists but is a directory", "existe, mais c’est un dossier",
	"exists but is not a directory", "existe, mais ce n’est pas un dossier",
)

// Writer translates what passes through it.
type Writer struct{ io.Writer }

func (w Writer) Write(p []byte) (int, error) {
	if _, err := words.WriteString(w.Writer, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
