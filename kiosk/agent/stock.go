package agent

import (
	"context"
	"reflect"
	"time"

	"parvis/kiosk/link"
)

const (
	// takeStock is how often the agent looks what the borne is made of.
	takeStock = time.Hour
	// tellStock is after how long it tells the hub again what has not changed.
	tellStock = 24 * time.Hour
)

// takingStock tells the hub what the borne is made of: at the start, when that
// has changed, and once a day.
func (a *Agent) takingStock(ctx context.Context) {
	back := newBackoff()
	back.Reset()
	var told link.Inventory
	var at time.Time
	for ctx.Err() == nil {
		a.pulse.beat("inventory", 2*takeStock)
		if a.o.Inventory == nil || !a.line.await(ctx, time.Minute) {
			pause(ctx, time.Minute)
			continue
		}
		i, err := a.o.Inventory(ctx)
		a.trouble(ctx, "inventaire", err)
		if time.Since(at) < tellStock && reflect.DeepEqual(i, told) {
			pause(ctx, takeStock)
			continue
		}
		err = a.o.Client.PutInventory(ctx, i)
		if p := problemOf(err); p != nil && !passing(p) {
			// Such a hub will not take it later either: an older one, say.
			if a.refused.first("inventaire refusé") {
				a.log.Warn("le hub refuse l’inventaire", "problème", p.Type)
			}
			err = nil
		}
		if err != nil {
			pause(ctx, back.NextBackOff())
			continue
		}
		back.Reset()
		told, at = i, time.Now()
	}
}
