package ticket_test

import (
	"slices"
	"testing"

	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/kiosk/ticket"
)

func TestWifiCode(t *testing.T) {
	for want, w := range map[string]ticket.Wifi{
		"WIFI:T:WPA;S:Mairie-Public;P:bienvenue;;":                      {Name: "Mairie-Public", Password: "bienvenue"},
		"WIFI:T:nopass;S:Médiathèque Été;;":                             {Name: "Médiathèque Été"},
		`WIFI:T:WPA;S:\"La\; Place\, 2\:3\\4\";P:\\\\\;\;\:\:\,\"x y;;`: {Name: `"La; Place, 2:3\4"`, Password: `\\;;::,"x y`},
		`WIFI:T:WPA;S:S\:faux\;\;;P:12345678\;T\:nopass\;;;`:            {Name: "S:faux;;", Password: "12345678;T:nopass;"},
	} {
		if got := w.Code(); got != want {
			t.Errorf("%+v: %s, want %s", w, got, want)
		}
	}
}

func TestJoin(t *testing.T) {
	text := func(s string) printer.Block { return printer.Text{Text: s} }
	bold := func(s string) printer.Block { return printer.Text{Text: s, Bold: true} }
	for _, tc := range []struct {
		wifi ticket.Wifi
		want []printer.Block
	}{
		{ticket.Wifi{Name: "Mairie", Password: "bienvenue", Note: "Acceptez les conditions."}, []printer.Block{
			printer.Heading{Level: 1, Text: "wifi"}, text("wifi_name"), bold("Mairie"), text("wifi_password"), bold("bienvenue"), text("Acceptez les conditions."),
			printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "wifi_how"}, printer.Bullet{Text: "wifi_settings"}, printer.Bullet{Text: "wifi_choose"}, printer.Bullet{Text: "wifi_type"},
			printer.Space{Lines: 1}, printer.Text{Text: "wifi_scan", Bold: true, Centred: true}, printer.QR{Data: "WIFI:T:WPA;S:Mairie;P:bienvenue;;"},
		}},
		{ticket.Wifi{Name: "Mairie"}, []printer.Block{
			printer.Heading{Level: 1, Text: "wifi"}, text("wifi_name"), bold("Mairie"), text("wifi_open"),
			printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "wifi_how"}, printer.Bullet{Text: "wifi_settings"}, printer.Bullet{Text: "wifi_choose"},
			printer.Space{Lines: 1}, printer.Text{Text: "wifi_scan", Bold: true, Centred: true}, printer.QR{Data: "WIFI:T:nopass;S:Mairie;;"},
		}},
	} {
		doc := ticket.Join(site, monday(t), tc.wifi, "fr", spell)
		if _, err := escpos.Encode(doc); err != nil {
			t.Fatal(err)
		}
		if got := doc.Blocks[3:min(3+len(tc.want), len(doc.Blocks))]; !slices.Equal(got, tc.want) {
			t.Errorf("got  %+v\nwant %+v", got, tc.want)
		}
	}
}
