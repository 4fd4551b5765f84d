package callbacks_test

import (
	"regexp"
	"strings"
	"testing"

	"parvis/hub/callbacks"
)

// The numbers are made up, with keys that are right: nobody has them.
func TestNoteWarning(t *testing.T) {
	t.Parallel()
	tests := []struct {
		note string
		want callbacks.Sensitive // empty: no warning
	}{
		{"", ""},
		{"Rappeler mardi matin, parle turc.", ""},
		{"RDV le 24/11/2026 à 14 h 30, bureau 12, 3 enfants", ""},
		{"Code postal 67100, 2 rue de la Gare, dossier 2026-114", ""},
		{"Formulaire cerfa 14011*03", ""},
		{"Montant 1 250,50 euros", ""},
		{"sécu 2 55 08 14 168 025 38", callbacks.SocialSecurity},
		{"255081416802538", callbacks.SocialSecurity},
		{"2550814168025", callbacks.SocialSecurity},
		{"255-08-14-168-025-38.", callbacks.SocialSecurity},
		{"2\u00a055\u202f08 14 168 025 38", callbacks.SocialSecurity},
		{"1 85 05 2A 004 012 70", callbacks.SocialSecurity},
		{"185052b00401297", callbacks.SocialSecurity},
		{"IBAN FR76 3000 6000 0112 3456 7890 189", callbacks.BankAccount},
		{"fr7630006000011234567890189 à la banque", callbacks.BankAccount},
		{"FR76 3000 6000 0112 3456 7890 189 puis autre chose", callbacks.BankAccount},
		{"DE89370400440532013000", callbacks.BankAccount},
		{"FR76 3000 6000 0112 3456 7890 188", ""},
		{"carte 4539 1488 0343 6467", callbacks.BankCard},
		{"5555-5555-5555-4444", callbacks.BankCard},
		{"carte 4539 1488 0343 6468", ""},
		{"n° fiscal 30 12 345 678 901", callbacks.TaxNumber},
		{"impôts : 0712345678901", callbacks.TaxNumber},
		{"CAF 1234567", callbacks.FamilyNumber},
		{"allocataire n° 1 234 567, dossier en retard", callbacks.FamilyNumber},
		{"La CAF a répondu en 2026", ""},
		{"le joindre au 06 12 34 56 52", callbacks.Telephone},
		{"06.12.34.56.52", callbacks.Telephone},
		{"+33 6 12 34 56 52", callbacks.Telephone},
		{"0033612345652", callbacks.Telephone},
		{"+49 30 901820", callbacks.Telephone},
		{"le 3646", ""},
	}
	for _, tt := range tests {
		got, found := callbacks.NoteWarning(tt.note)
		if got.Kind != tt.want || found != (tt.want != "") {
			t.Errorf("%q: %q, want %q", tt.note, got.Kind, tt.want)
		}
		for _, number := range regexp.MustCompile(`[0-9]{2,}`).FindAllString(tt.note, -1) {
			if strings.Contains(got.Message, number) {
				t.Errorf("%q: the warning repeats it: %s", tt.note, got.Message)
			}
		}
	}
}
