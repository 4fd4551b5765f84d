package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"parvis/kiosk/link"
)

const (
	// mostProfile is how large a profile may be, in bytes.
	mostProfile = 1 << 20
	// profileDigits is how much of its SHA-256 a profile is called by on the borne.
	profileDigits = 12
)

var sum256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// profileChange is how a profile of the hub comes into use.
func (a *Agent) profileChange(f link.File) (change, error) {
	if !sum256.MatchString(f.SHA256) || f.Size < 1 || f.Size > mostProfile {
		return change{}, fmt.Errorf("%w : ce n’est pas un profil (%d octets)", ErrUnfit, f.Size)
	}
	name := f.SHA256[:profileDigits]
	return change{kind: link.KindProfile, version: f.SHA256, name: name, bring: func(ctx context.Context) error {
		return a.bringProfile(ctx, f, name)
	}}, nil
}

// bringProfile puts a profile on its shelf once the application would go by it.
func (a *Agent) bringProfile(ctx context.Context, f link.File, name string) error {
	body, at, size, err := a.open(ctx, "/files/"+f.SHA256, 0)
	if err != nil {
		return err
	}
	defer body.Close()
	if at != 0 || size >= 0 && size != f.Size {
		return fmt.Errorf("profil : %d octets au hub, %d annoncés", size, f.Size)
	}
	data, err := io.ReadAll(io.LimitReader(body, f.Size+1))
	if err != nil {
		return fmt.Errorf("%w : %w", errAway, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return errors.New("profil : ce qui est arrivé n’a pas l’empreinte annoncée")
	}
	s := a.shelf(link.KindProfile)
	part := s.Path(".part")
	if err := writeNew(part, data); err != nil {
		return err
	}
	if err := a.o.CheckProfile(ctx, part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, s.Path(name)) // the switch brings it onto the disk
}

// writeNew writes a file that the application's group can read: it may hold the
// fingerprints of badges. A link in its place is not followed.
func writeNew(path string, data []byte) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o640)
	}
	return errors.Join(err, file.Close())
}
