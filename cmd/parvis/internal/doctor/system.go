package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"golang.org/x/sys/unix"

	"parvis/device/audio"
	wiring "parvis/kiosk/agent/network"
	"parvis/provisioning/profile"
)

// Free space on the disk of the borne's folder, in bytes.
const (
	little      = 1 << 30
	tooLittle   = 100 << 20
	mebibyte    = 1 << 20
	procRoutes  = "/proc/net/route"
	procRoutes6 = "/proc/net/ipv6_route"
	procInputs  = "/proc/bus/input/devices"
	kiosk       = ":0" // the display of a borne's session
)

// disk looks at the space left where the borne keeps its data, and whether it
// may write there.
func disk(dir string, little, tooLittle uint64) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return because(critical("Créez le dossier, ou donnez le bon avec --data.", "Le dossier de la borne %s est illisible.", dir), err)
		}
		if st.Flags&unix.ST_RDONLY != 0 {
			return critical("Vérifiez l’état du disque (« journalctl -k ») : le système l’a peut-être verrouillé après une erreur.",
				"Le disque de %s est en lecture seule.", dir)
		}
		probe, err := os.CreateTemp(dir, ".doctor-*")
		if err != nil {
			return because(critical("Le compte de la borne doit pouvoir écrire dans ce dossier.", "On ne peut pas écrire dans %s.", dir), err)
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return because(critical("Vérifiez le disque.", "On ne peut pas écrire dans %s.", dir), err)
		}
		free := st.Bavail * uint64(st.Bsize)
		const do = "Faites de la place : « journalctl --vacuum-size=200M », « apt-get clean »."
		switch {
		case free < tooLittle:
			return critical(do, "Le disque est plein : il reste %d Mo.", free/mebibyte)
		case free < little:
			return warn(do, "Le disque se remplit : il reste %d Mo.", free/mebibyte)
		}
		return fine("Il reste %d Mo.", free/mebibyte)
	}
}

// oldest is before any moment at which this program can run.
var oldest = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// clock looks at the year, and asks the kernel whether a time server sets it.
func clock(now func() time.Time) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		t := now()
		if t.Before(oldest) {
			return critical("Branchez le réseau, puis « timedatectl set-ntp true ». La pile de la carte mère est peut-être vide.",
				"L’horloge dit %s : les horaires et les rappels seraient faux.", t.Format("02/01/2006 15:04"))
		}
		var x unix.Timex
		if _, err := unix.Adjtimex(&x); err != nil {
			return because(warn("Vérifiez avec « timedatectl ».", "On ne sait pas si l’horloge est réglée par le réseau."), err)
		}
		if x.Status&unix.STA_UNSYNC != 0 {
			return warn("« timedatectl set-ntp true », puis vérifiez que le réseau laisse passer le serveur de temps.",
				"Il est %s, mais aucun serveur de temps ne règle l’horloge.", t.Format("15 h 04"))
		}
		return fine("Il est %s, réglé par le réseau.", t.Format("15 h 04"))
	}
}

// network looks for a way out in the kernel's tables of routes, and at whether
// the cable or the Wi-Fi carries. sys is /sys.
func network(routes, routes6, sys string) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		var links []string
		for path, link := range map[string]func([]string) string{routes: defaultRoute, routes6: defaultRoute6} {
			data, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // without IPv6 there is no table of it
				return because(warn("Vérifiez avec « ip route ».", "L’état du réseau est inconnu."), err)
			}
			for line := range strings.Lines(string(data)) {
				if l := link(strings.Fields(line)); l != "" {
					links = append(links, l)
				}
			}
		}
		slices.Sort(links)
		for _, l := range links {
			if carrier, err := os.ReadFile(filepath.Join(sys, "class/net", l, "carrier")); err == nil && strings.TrimSpace(string(carrier)) == "1" {
				return fine("Le réseau passe par %s.", l)
			}
		}
		const do = "Vérifiez le câble ou le Wi-Fi. La borne sert les personnes sans réseau ; les demandes de rappel attendent."
		if len(links) > 0 {
			return warn(do, "Le réseau devrait passer par %s, mais rien n’y est branché.", links[0])
		}
		return warn(do, "Aucun réseau.")
	}
}

// wired tells what of the profile's network the machine has not taken, and says
// nothing where that is nothing. state is the folder of root's half.
func wired(state string) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		status, err := wiring.ReadStatus(state)
		if err != nil {
			return because(warn("Voyez « journalctl -u parvis-reseau ».", "On ne sait pas si la machine a pris le réseau du profil."), err)
		}
		if status.Failure == "" {
			return nil
		}
		return because(warn("Corrigez [reseau] dans le profil, ou réglez le réseau dans la machine.", "La machine n’a pas pris tout le réseau du profil."), errors.New(status.Failure))
	}
}

// defaultRoute gives the link of a line of /proc/net/route that leads
// everywhere: interface, destination, gateway, flags … in hexadecimal.
func defaultRoute(f []string) string {
	if len(f) > 3 && f[1] == "00000000" && up(f[3]) {
		return f[0]
	}
	return ""
}

// defaultRoute6 does so for /proc/net/ipv6_route: destination, its length, …,
// flags, interface. The loopback has one too, which leads nowhere.
func defaultRoute6(f []string) string {
	if len(f) == 10 && f[1] == "00" && f[9] != "lo" && up(f[8]) {
		return f[9]
	}
	return ""
}

func up(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&1 != 0
}

// screen asks the display for its size and compares it with the profile's. With
// none given it tries fallback: doctor may be looking on from afar.
func screen(display, fallback string, want profile.Screen) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		xgb.Logger.SetOutput(nowhere{})
		guess := display == ""
		if guess {
			display = fallback
		}
		x, err := xgb.NewConnDisplay(display)
		if err != nil && guess {
			return warn("Lancez la commande avec DISPLAY=:0, sous le compte de la borne.", "L’écran n’a pas été vérifié : DISPLAY n’est pas défini.")
		}
		if err != nil {
			return because(critical("Vérifiez que l’écran est allumé et branché, et que la session de la borne tourne.", "L’écran %s ne répond pas.", display), err)
		}
		defer x.Close()
		root := xproto.Setup(x).DefaultScreen(x)
		w, h := int(root.WidthInPixels), int(root.HeightInPixels)
		if w != want.Width || h != want.Height {
			return warn("Tournez l’écran (« xrandr --rotate »), ou corrigez ecran.largeur_px et ecran.hauteur_px dans le profil.",
				"L’écran fait %d × %d pixels, le profil en attend %d × %d.", w, h, want.Width, want.Height)
		}
		return fine("L’écran fait %d × %d pixels, comme le dit le profil.", w, h)
	}
}

// nowhere keeps what the X library says by itself off the terminal.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// touch looks for a panel among the kernel's input devices: one whose
// positions are those of what is seen (INPUT_PROP_DIRECT).
func touch(inputs string) func(context.Context) []Finding {
	const do = "Branchez le câble USB de l’écran tactile. Sans lui, la borne ne répond qu’au clavier."
	return func(context.Context) []Finding {
		data, err := os.ReadFile(inputs)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return because(warn("Vérifiez avec « cat "+procInputs+" ».", "On ne sait pas si l’écran est tactile."), err)
		}
		for device := range strings.SplitSeq(string(data), "\n\n") {
			name, direct := "", false
			for line := range strings.Lines(device) {
				line = strings.TrimSpace(line)
				if n, ok := strings.CutPrefix(line, "N: Name="); ok {
					name = strings.Trim(n, `"`)
				}
				if p, ok := strings.CutPrefix(line, "B: PROP="); ok {
					bits, err := strconv.ParseUint(p, 16, 64)
					direct = err == nil && bits&2 != 0
				}
			}
			if direct {
				return fine("L’écran tactile est là : %s.", name)
			}
		}
		return warn(do, "Aucun écran tactile.")
	}
}

// voices looks for the programs that speak, and tries the outputs they speak
// through.
func voices(sound profile.Sound) func(context.Context) []Finding {
	return func(ctx context.Context) []Finding {
		var missing []string
		for _, n := range []string{"espeak-ng", "aplay"} {
			if _, err := exec.LookPath(n); err != nil {
				missing = append(missing, n)
			}
		}
		if len(missing) > 0 {
			return critical("apt-get install espeak-ng alsa-utils", "La borne ne peut pas parler : il manque %s.", strings.Join(missing, " et "))
		}
		var outputs []string
		for _, o := range []string{sound.Speaker, sound.Headset} {
			if o != "" {
				outputs = append(outputs, o)
			}
		}
		return []Finding{describe("Sorties du son", audio.Check(ctx, outputs...))}
	}
}
