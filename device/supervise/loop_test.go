package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/supervise"
	"parvis/device/transport"
)

func TestPauses(t *testing.T) {
	absent := fmt.Errorf("/dev/parvis/lecteur: %w", fs.ErrNotExist)
	tests := []struct {
		name     string
		err      error
		longest  time.Duration
		attempts [2]int // in ten minutes
	}{
		{"away", absent, time.Second, [2]int{590, 610}},
		{"service down", &printer.Error{Fault: device.NoService}, time.Second, [2]int{590, 610}},
		{"fails at once", errors.New("short circuit"), 30 * time.Second, [2]int{20, 40}},
		{"ends at once", nil, 30 * time.Second, [2]int{20, 40}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				serve(t, supervise.Options{Log: new(record).logger()}, loop(func(context.Context, func(device.Status)) error {
					at = append(at, time.Now())
					return tt.err
				}))
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if n := len(at); n < tt.attempts[0] || n > tt.attempts[1] {
					t.Errorf("%d attempts in ten minutes, want %v", n, tt.attempts)
				}
				last := time.Duration(0)
				for i := 1; i < len(at); i++ {
					last = at[i].Sub(at[i-1])
					if i == 1 && last > 250*time.Millisecond || last > tt.longest {
						t.Errorf("pause %d lasted %v", i, last)
					}
				}
				if last < tt.longest/2 {
					t.Errorf("the last pause lasted %v only", last)
				}
			})
		})
	}
}

func TestPauseBeginsAnewAfterWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts, lostAt, pause := 0, time.Time{}, time.Duration(0)
		serve(t, supervise.Options{Log: new(record).logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
			attempts++
			switch {
			case attempts < 20:
				return errors.New("short circuit")
			case attempts == 20:
				report(online)
				time.Sleep(time.Hour)
				lostAt = time.Now()
				return transport.ErrGone
			}
			pause = time.Since(lostAt)
			<-ctx.Done()
			return ctx.Err()
		}))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if attempts != 21 || pause > 250*time.Millisecond {
			t.Errorf("attempt %d came %v after the loss", attempts, pause)
		}
	})
}

func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts, panics int
		b := serve(t, supervise.Options{Log: new(record).logger()},
			loop(func(context.Context, func(device.Status)) error {
				attempts++
				return errors.New("permission denied") // until the udev rules have run
			}),
			supervise.Loop{Name: "imprimante", Kind: device.TicketPrinter, Serve: func(context.Context, func(device.Status)) error {
				panics++
				panic("mistake")
			}})
		time.Sleep(5 * time.Minute) // well into the long pauses
		synctest.Wait()
		before, panicsBefore := attempts, panics
		b.Wake()
		synctest.Wait()
		if attempts != before+1 {
			t.Errorf("%d attempts right after Wake, want 1", attempts-before)
		}
		if panics != panicsBefore {
			t.Error("Wake started a loop that had panicked")
		}
	})
}

// What is plugged in while an attempt fails is not missed.
func TestWakeAmidAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		var b *supervise.Board
		b = mustNew(t, supervise.Options{Log: new(record).logger()}, loop(func(context.Context, func(device.Status)) error {
			attempts++
			if attempts == 1 {
				time.Sleep(time.Millisecond)
				b.Wake()
			}
			return errors.New("permission denied")
		}))
		run(t, b)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if attempts != 2 {
			t.Errorf("%d attempts, want a second one at once", attempts)
		}
	})
}

func TestPanic(t *testing.T) {
	const secret = "0008844356"
	for name, fail := range map[string]func(){
		"our own words":       func() { panic("card " + secret) },
		"an error's":          func() { panic(errors.New(secret)) },
		"the runtime's words": func() { var none []int; _ = none[len(secret)] },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r record
				mended := make(chan struct{})
				b := serve(t, supervise.Options{Log: r.logger()},
					loop(func(ctx context.Context, report func(device.Status)) error {
						select {
						case <-mended:
							report(online)
							<-ctx.Done()
							return ctx.Err()
						default:
						}
						fail()
						return nil
					}),
					supervise.Loop{Name: "imprimante", Kind: device.TicketPrinter, Serve: func(ctx context.Context, report func(device.Status)) error {
						report(online)
						<-ctx.Done()
						return ctx.Err()
					}})
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if s := b.Status("lecteur-1"); s.State != device.HardwareError || s.Fault != device.Hardware || !strings.HasPrefix(s.Cause, "panic: ") {
					t.Errorf("status = %+v", s)
				}
				if s := b.Status("imprimante"); s != online {
					t.Errorf("the other device: %+v", s)
				}
				close(mended)
				time.Sleep(time.Minute)
				synctest.Wait()
				for _, want := range []struct {
					n     int
					words []string
				}{
					{1, []string{"panne du programme", "pile=", "loop_test.go"}},
					{1, []string{lostLine}}, {1, []string{backLine}}, {3, nil}, {0, []string{secret}},
				} {
					if got := r.with(want.words...); len(got) != want.n {
						t.Errorf("%d lines with %q, want %d: %q", len(got), want.words, want.n, got)
					}
				}
				if s := b.Status("lecteur-1"); s != online {
					t.Errorf("mended, the status is %+v", s)
				}
			})
		})
	}
}

func TestJudge(t *testing.T) {
	noPaper := device.NoPaper.With(nil)
	noService := device.NoService.With(errors.New("RPC transport error"))
	tests := []struct {
		name   string
		report []device.Status
		err    error
		want   device.Status
	}{
		{"printer's fault", nil, fmt.Errorf("serve: %w", &printer.Error{Fault: device.Silent, Err: errors.New("no answer")}),
			device.Status{State: device.Offline, Fault: device.Silent, Cause: "no answer"}},
		{"printer's fault without a cause", nil, &printer.Error{Fault: device.Jam},
			device.Status{State: device.UserError, Fault: device.Jam, Cause: "printer: jam"}},
		{"fault of a document only", nil, &printer.Error{Fault: device.Unprintable},
			device.Status{State: device.HardwareError, Fault: device.Hardware, Cause: "printer: unprintable"}},
		{"gone", []device.Status{online}, fmt.Errorf("/dev/ttyUSB0: %w", transport.ErrGone),
			device.Status{State: device.NoDevice, Fault: device.Unplugged, Cause: "/dev/ttyUSB0: line is gone"}},
		{"gone amid another fault", []device.Status{noPaper}, transport.ErrGone,
			device.Status{State: device.NoDevice, Fault: device.Unplugged, Cause: "line is gone"}},
		{"not there", nil, &fs.PathError{Op: "open", Path: "/dev/x", Err: fs.ErrNotExist},
			device.Status{State: device.NoDevice, Fault: device.Unplugged, Cause: "open /dev/x: file does not exist"}},
		{"said before", []device.Status{online, noService}, errors.New("no context"), noService},
		{"said and mended before", []device.Status{noService, online}, errors.New("no context"),
			device.Status{State: device.HardwareError, Fault: device.Hardware, Cause: "no context"}},
		{"no reason", []device.Status{online}, nil,
			device.Status{State: device.HardwareError, Fault: device.Hardware, Cause: "the loop ended without a reason"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serve(t, supervise.Options{Log: new(record).logger()}, loop(func(_ context.Context, report func(device.Status)) error {
					for _, s := range tt.report {
						report(s)
					}
					return tt.err
				}))
				synctest.Wait()
				if got := b.Status("lecteur-1"); got != tt.want {
					t.Errorf("status = %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
}
