package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// Desk takes orders for a printer and its line.
type Desk struct {
	Thermal *Thermal
	Cable   Line
}

// Orders is what a Desk understands.
const Orders = "paper in|low|out, cover open|close, take, error cutter|jam|hot|fatal|off, silent on|off, unplug, plug, status, after DOTS ORDER"

// Do carries out one order and returns the answer: "ok", or for "status" one
// line about the printer.
func (d *Desk) Do(order string) (string, error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(order), " ")
	rest = strings.TrimSpace(rest)
	switch word + " " + rest {
	case "paper in", "paper low", "paper out":
		d.Thermal.SetPaper(Paper(rest))
	case "cover open", "cover close":
		d.Thermal.SetCover(rest == "open")
	case "take ":
		return "ok", d.Thermal.Take()
	case "error cutter", "error jam", "error hot", "error fatal", "error off":
		d.Thermal.SetFault(Fault(rest))
	case "silent on", "silent off":
		d.Thermal.SetSilent(rest == "on")
	case "plug ":
		return "ok", d.Cable.Plug()
	case "unplug ":
		return "ok", d.Cable.Unplug()
	case "status ":
		return d.Thermal.String(), nil
	default:
		if word != "after" {
			return "", fmt.Errorf("unknown order %q: say %s", order, Orders)
		}
		return "ok", d.after(rest)
	}
	return "ok", nil
}

func (d *Desk) after(rest string) error {
	dots, order, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(dots)
	if err != nil || n < 1 || order == "" {
		return fmt.Errorf("after %q: say after DOTS ORDER", rest)
	}
	d.Thermal.After(n, func() {
		_, _ = d.Do(order) // nobody is left to hear of it
	})
	return nil
}
