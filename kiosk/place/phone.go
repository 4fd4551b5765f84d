package place

import (
	"slices"
	"strings"
)

// trunks are the calling codes of France whose numbers begin with a zero at
// home, with the length of the first group written there.
var trunks = []struct {
	code  string
	first int
}{{"+33", 2}, {"+262", 4}, {"+590", 4}, {"+594", 4}, {"+596", 4}}

// DialledPhone is the place's number as people in France write and dial it:
// "01 99 00 00 01", "0262 12 34 56". A number of elsewhere stays international.
func (p Place) DialledPhone() string {
	for _, t := range trunks {
		national, ok := strings.CutPrefix(p.Phone, t.code)
		if !ok || len(national) != 9 {
			continue
		}
		national = "0" + national
		groups := []string{national[:t.first]}
		for pair := range slices.Chunk([]byte(national[t.first:]), 2) {
			groups = append(groups, string(pair))
		}
		return strings.Join(groups, " ")
	}
	return p.Phone
}
