package sim_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"parvis/device/sim"
)

const virtualReader = "Virtual PCD 00 00"

// pcscFolder is the one of this process: libpcsclite looks for the name of the
// socket but once.
var pcscFolder = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "pcsc")
	if err != nil {
		panic(err)
	}
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(pcscFolder())
	os.Exit(code)
}

// A real pcscd, its driver and its library stand between the test and the card.
func TestCardsThroughPCSCD(t *testing.T) {
	p := startPCSCD(t, pcscFolder())
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket)
	client := mustConnect(t)

	for _, tt := range []struct {
		kind string
		ask  string // APDUs and what is answered
	}{
		{"city", `FFCA000000 04A23F1B5C64809000
			FFB0000310 E11012000318D10114540266724361729000
			FFB0000710 7465206465206C612076696C6C65FE009000
			FFB0000004 04A23F1B9000
			FFB0002804 6B00
			00A4040007D2760000850101 6D00`},
		{"mediator", `FFCA000000 04B1770A5C64819000`},
		{"staff", `FFCA000000 04C0DE0A5C64829000
			FFCA010000 6A81
			00B000000F 6986
			00A4000C02E103 6A82
			00A4040007D276000085010100 9000
			00A4000C02E103 9000
			00B000000F 000F20003B00340406E104040000FF9000
			00A4000C02E104 9000
			00B0000002 000C9000
			00B000020C D101085402667241 67656E749000
			00B00100FF 6B00
			80CA000000 6E00`},
		{"unknown", `FFCA000000 08D1E2F39000
			FFB0000410 6D00`},
		{"0011223344556677", ``},
		{"vitale", `FFCA000000 6E00
			00A4040007D2760000850101 6D00
			BCB0214018 6E00`},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			answer, err := p.Slots[0].Do("insert " + tt.kind)
			if tt.ask == "" {
				if err == nil {
					t.Fatal("a UID of 8 bytes was taken")
				}
				return
			}
			if err != nil || answer != "ok" {
				t.Fatalf("insert: %q, %v", answer, err)
			}
			wantATR, err := sim.NewCard(tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			state := awaitCard(t, client, true)
			if !bytes.Equal(state.Atr, wantATR.ATR) {
				t.Errorf("ATR %X, want %X", state.Atr, wantATR.ATR)
			}
			if n := p.Slots[0].APDUs(); n != 0 {
				t.Errorf("%d APDUs before anybody asked anything", n)
			}
			card, err := client.Connect(virtualReader, scard.ShareShared, scard.ProtocolAny)
			if err != nil {
				t.Fatal(err)
			}
			asked := 0
			for line := range strings.Lines(tt.ask) {
				question, want, _ := strings.Cut(strings.TrimSpace(line), " ")
				want = strings.ReplaceAll(want, " ", "")
				apdu, err := hex.DecodeString(question)
				if err != nil {
					t.Fatal(err)
				}
				got, err := card.Transmit(apdu)
				if asked++; err != nil || strings.ToUpper(hex.EncodeToString(got)) != want {
					t.Errorf("%s: %X, %v, want %s", question, got, err, want)
				}
			}
			if n := p.Slots[0].APDUs(); n != asked {
				t.Errorf("%d APDUs counted of %d", n, asked)
			}
			if err := card.Disconnect(scard.LeaveCard); err != nil {
				t.Error(err)
			}
			if answer, err := p.Slots[0].Do("remove"); err != nil || answer != "ok" {
				t.Fatalf("remove: %q, %v", answer, err)
			}
			awaitCard(t, client, false)
		})
	}

	t.Run("pcscd dies and another comes", func(t *testing.T) {
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ListReaders(); err == nil {
			t.Error("it still answers")
		}
		if _, err := os.Stat(p.Socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its socket is still there: %v", err)
		}
		if err := p.Slots[0].Insert(sim.Card{}); err == nil || !strings.Contains(err.Error(), "vsmartcard-vpcd") {
			t.Errorf("Insert = %v", err)
		}
		startPCSCD(t, t.TempDir()) // beside it, and of no use to us
		p = startPCSCD(t, strings.TrimSuffix(p.Socket, "/pcscd.comm"))
		client = mustConnect(t)
		if answer, err := p.Slots[0].Do("insert vitale"); err != nil || answer != "ok" {
			t.Fatalf("insert: %q, %v", answer, err)
		}
		awaitCard(t, client, true)
	})
}

func TestFolderTooLongForASocket(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if _, err := sim.StartPCSCD(t.Context(), long); err == nil || !strings.Contains(err.Error(), "shorter folder") {
		t.Errorf("StartPCSCD = %v", err)
	}
	if _, err := sim.StartOffice(t.Context(), long, 0); err == nil || !strings.Contains(err.Error(), "shorter folder") {
		t.Errorf("StartOffice = %v", err)
	}
}

func startPCSCD(t *testing.T, dir string) *sim.PCSCD {
	t.Helper()
	p, err := sim.StartPCSCD(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("stop pcscd: %v", err)
		}
	})
	return p
}

func mustConnect(t *testing.T) *scard.Context {
	t.Helper()
	c, err := scard.EstablishContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Release() // its pcscd may be gone
	})
	return c
}

// awaitCard waits until a card is there, or gone.
func awaitCard(t *testing.T, c *scard.Context, there bool) scard.ReaderState {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		states := []scard.ReaderState{{Reader: virtualReader, CurrentState: scard.StateUnaware}}
		if err := c.GetStatusChange(states, 0); err != nil {
			t.Fatal(err)
		}
		if now := states[0].EventState; now&scard.StatePresent != 0 == there {
			return states[0]
		}
		states[0].CurrentState = states[0].EventState
		if err := c.GetStatusChange(states, time.Second); err != nil && !errors.Is(err, scard.ErrTimeout) {
			t.Fatal(err)
		}
	}
	t.Fatalf("no card there=%t within 5 s", there)
	return scard.ReaderState{}
}
