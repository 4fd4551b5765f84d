package journey

import (
	"context"

	"parvis/app/page"
	"parvis/kiosk/visit"
)

// wifi says how to join the house's Wi-Fi.
func (j *Journey) wifi(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	net := j.Site.Wifi
	lines := []page.Line{{Label: w.T("wifi.name"), Value: net.Name, Strong: true}}
	lead := w.T("wifi.open")
	if net.Password != "" {
		lead = w.T("wifi.lead")
		lines = append(lines, page.Line{Label: w.T("wifi.password"), Value: net.Password, Strong: true})
	}
	p := page.Page{Accent: page.Place, Title: w.T("wifi.title"), Lead: lead,
		Blocks: []page.Block{page.Table{Lines: lines}, page.Checklist{Items: []page.Item{{Text: w.T("wifi.how"), Icon: "device-mobile"}}}, page.QR{Data: net.Code(), Caption: w.T("wifi.scan")}}}
	if net.Note != "" {
		p.Blocks = append(p.Blocks, page.Text{Text: net.Note})
	}
	p.Actions = j.printAction(w, page.Place)
	return p
}

func (j *Journey) chooseWifi(ctx context.Context, v *visit.Visit, id string) *Task {
	if id == "print" {
		return j.startPrint(ctx, v)
	}
	return nil
}
