package supervise_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device"
	"parvis/device/supervise"
	"parvis/device/transport"
)

// change is a status that comes after a while.
type change struct {
	after time.Duration
	device.Status
}

// lines counts the lines that each of several words stands in.
func lines(t *testing.T, r *record, want map[string]int) {
	t.Helper()
	for words, n := range want {
		if got := r.with(words); len(got) != n {
			t.Errorf("%d lines with %s, want %d", len(got), words, n)
		}
	}
	if t.Failed() {
		t.Logf("%q", r.with())
	}
}

func TestOneLineWhenLostAndOneWhenBack(t *testing.T) {
	noPaper, cover := device.NoPaper.With(nil), device.CoverOpen.With(nil)
	low := device.Status{State: device.Online, Paper: device.PaperLow, Fault: device.PaperEnds}
	busy := device.Status{State: device.Busy}
	starting := device.Status{State: device.Starting}
	tests := []struct {
		name       string
		changes    []change
		lost, back int
	}{
		{"always there", []change{{0, starting}, {time.Second, online}, {time.Second, busy}, {time.Second, online}, {time.Second, low}}, 0, 0},
		{"out of paper", []change{{0, online}, {time.Minute, noPaper}, {time.Minute, online}}, 1, 1},
		{"one fault after another", []change{{0, online}, {time.Minute, noPaper}, {time.Second, cover}, {time.Second, noPaper}, {time.Second, cover}, {time.Second, starting}, {time.Second, low}}, 1, 1},
		{"lost from the start", []change{{0, starting}, {0, noPaper}}, 1, 0},
		{"twice", []change{{0, online}, {time.Minute, noPaper}, {time.Minute, online}, {time.Minute, cover}, {time.Minute, online}}, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r record
				serve(t, supervise.Options{Log: r.logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
					for _, c := range tt.changes {
						time.Sleep(c.after)
						report(c.Status)
					}
					<-ctx.Done()
					return ctx.Err()
				}))
				time.Sleep(time.Hour)
				synctest.Wait()
				lines(t, &r, map[string]int{lostLine: tt.lost, backLine: tt.back, "appareil=lecteur-1": tt.lost + tt.back, "": tt.lost + tt.back})
			})
		})
	}
}

func TestLinesTellWhatAndHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		attempts := 0
		serve(t, supervise.Options{Log: r.logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
			attempts++
			if attempts == 1 || attempts > 3600 {
				report(online)
			}
			if attempts > 3600 {
				<-ctx.Done()
				return ctx.Err()
			}
			return transport.ErrGone
		}))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		lines(t, &r, map[string]int{
			lostLine + ` appareil=lecteur-1 défaut="Appareil débranché" cause="line is gone"`: 1,
			backLine + ` appareil=lecteur-1 absence=59m58.75s`:                                1,
			"": 2,
		})
	})
}

func TestFlappingIsDamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		told := 0
		serve(t, supervise.Options{Log: r.logger(), Changed: func(string, device.Status) { told++ }},
			loop(func(ctx context.Context, report func(device.Status)) error {
				for range 1000 {
					report(online)
					time.Sleep(500 * time.Millisecond)
					report(device.CoverOpen.With(nil))
					time.Sleep(500 * time.Millisecond)
				}
				<-ctx.Done()
				return ctx.Err()
			}))
		time.Sleep(1000*time.Second + 30*time.Second)
		synctest.Wait()
		unstable, stable := `"appareil instable`, `"appareil de nouveau stable" appareil=lecteur-1 prêt=false défaut="Capot ouvert" coupures=995`
		lines(t, &r, map[string]int{lostLine: 5, backLine: 5, unstable: 1, stable: 0, "": 11})
		time.Sleep(time.Hour)
		synctest.Wait()
		lines(t, &r, map[string]int{lostLine: 5, backLine: 5, unstable: 1, stable: 1, "": 12})
		if told != 2000 {
			t.Errorf("told of %d changes, want all 2000", told)
		}
	})
}

// A device that is seldom lost has each loss logged, however many they are.
func TestSeldomLossesAreNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		serve(t, supervise.Options{Log: r.logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
			for range 100 {
				report(online)
				time.Sleep(10 * time.Second)
				report(device.CoverOpen.With(nil))
				time.Sleep(10 * time.Second)
			}
			<-ctx.Done()
			return ctx.Err()
		}))
		time.Sleep(time.Hour)
		synctest.Wait()
		lines(t, &r, map[string]int{lostLine: 100, backLine: 99, "": 199})
	})
}
