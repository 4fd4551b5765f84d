package enrol

import (
	"fmt"
	"strings"

	"parvis/kiosk/link"
)

// InvitationFile is the name of the file on a USB stick that holds an
// invitation, on its first line.
const InvitationFile = "parvis-enrolement.txt"

// Invitation is all that a new borne has to be told: which hub, and the code.
// It is written CODE@HOST:PORT.
type Invitation struct {
	Hub  string // as link.ParseHub takes it; empty where the borne knows it otherwise
	Code Code
}

// ParseInvitation reads what somebody has typed, or the file on a stick.
// Without an "@" it is a code alone. Errors say in French what is wrong, and
// never repeat the code.
func ParseInvitation(s string) (Invitation, error) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	code, hub, told := strings.Cut(s, "@")
	var i Invitation
	var err error
	if i.Code, err = ParseCode(code); err != nil {
		return Invitation{}, err
	}
	if i.Hub = strings.ToLower(strings.TrimSpace(hub)); !told {
		return i, nil
	}
	if _, err := link.ParseHub(i.Hub); err != nil {
		return Invitation{}, fmt.Errorf("adresse du hub, après « @ » : %w", err)
	}
	return i, nil
}

// Text is the invitation as ParseInvitation reads it.
func (i Invitation) Text() string {
	if i.Hub == "" {
		return i.Code.Text()
	}
	return i.Code.Text() + "@" + i.Hub
}
