package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// kindsWanted are what a borne can be wanted to have, in the order in which it
// goes about it.
var kindsWanted = []string{link.KindProfile, link.KindPack, link.KindSoftware}

// FailureSetting is the setting that holds the link.Failure of a kind, as JSON.
func FailureSetting(kind string) string { return "agent.failed." + kind }

// failure is the version of a kind that is not tried again; the zero Failure
// where there is none.
func (a *Agent) failure(ctx context.Context, kind string) (f link.Failure, err error) {
	return Failure(ctx, a.o.Store, kind)
}

// Failure is the version of a kind that the borne has found of no use and does
// not try again; the zero Failure where there is none.
func Failure(ctx context.Context, st *store.Store, kind string) (f link.Failure, err error) {
	text, err := st.Setting(ctx, FailureSetting(kind))
	if err != nil || text == "" {
		return f, err
	}
	return f, json.Unmarshal([]byte(text), &f)
}

// refuse keeps that a version is not to be tried again, and returns ErrUnfit
// with the reason; another error where that could not be kept.
func (a *Agent) refuse(ctx context.Context, kind, version string, why error) error {
	f := link.Failure{Kind: kind, Version: version, Why: reason(why)}
	text, err := json.Marshal(f)
	if err == nil {
		err = a.o.Store.SetSetting(ctx, FailureSetting(kind), string(text))
	}
	if err != nil {
		return err
	}
	a.log.Error("version refusée", "sorte", kind, "version", version, "pourquoi", f.Why)
	a.report.ring()
	return refused(f)
}

// refused is ErrUnfit, in the words of a failure.
type refused link.Failure

func (r refused) Error() string { return r.Why }

func (r refused) Is(target error) bool { return target == ErrUnfit }

// reason is why a version is refused, without the words that only say that.
func reason(err error) string {
	text := oneLine(err.Error())
	for {
		rest, ok := strings.CutPrefix(text, ErrUnfit.Error()+" : ")
		if !ok {
			return text
		}
		text = rest
	}
}

// pardon forgets a version that was not to be tried again, as another is wanted.
func (a *Agent) pardon(ctx context.Context, kind, wanted string) error {
	f, err := a.failure(ctx, kind)
	if err == nil && (f.Version == "" || f.Version == wanted) {
		return nil
	}
	return a.o.Store.SetSetting(ctx, FailureSetting(kind), "")
}

// failures are what the borne does not go on with, for a report.
func (a *Agent) failures(ctx context.Context) ([]link.Failure, error) {
	var all []link.Failure
	for _, kind := range kindsWanted {
		f, err := a.failure(ctx, kind)
		if err != nil {
			return nil, err
		}
		if f.Version == "" {
			f = a.pursuit.failing(kind)
		}
		if f.Version == "" && kind == link.KindProfile {
			if f, err = a.unmetProfile(ctx); err != nil {
				return nil, err
			}
		}
		if f.Version != "" {
			all = append(all, f)
		}
	}
	return all, nil
}

// unmetProfile is the profile in place, where the application or the machine does
// not go by all of it.
func (a *Agent) unmetProfile(ctx context.Context) (link.Failure, error) {
	if f, err := a.refusedProfile(ctx); err != nil || f.Version != "" || a.o.Network == nil {
		return f, err
	}
	why := a.o.Network.Failure()
	if why == "" {
		return link.Failure{}, nil
	}
	s := a.shelf(link.KindProfile)
	name, err := s.Version(shelf.Current)
	if err != nil {
		return link.Failure{}, err
	}
	version := ownProfile
	if name != "" {
		if version, err = wholeSum(s.Path(name)); err != nil {
			return link.Failure{}, err
		}
	}
	return link.Failure{Kind: link.KindProfile, Version: version, Why: oneLine(why)}, nil
}

// ownProfile stands for the version of a profile that is not the hub's.
const ownProfile = "borne"

// wholeSum is the SHA-256 of a file, in hexadecimal.
func wholeSum(path string) (string, error) {
	data, err := os.ReadFile(path)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// refusedProfile is a profile that was good once and that the application no
// longer goes by: a newer program may want more of it.
func (a *Agent) refusedProfile(ctx context.Context) (link.Failure, error) {
	r, err := a.o.Store.Refusal(ctx, store.ProfileRefused)
	if err != nil || r.Version == "" {
		return link.Failure{}, err
	}
	s := a.shelf(link.KindProfile)
	if current, err := s.Version(shelf.Current); err != nil || current != r.Version {
		return link.Failure{}, err
	}
	if t, err := a.trial(ctx); err != nil || t.Kind == link.KindProfile {
		return link.Failure{}, err // it is not sure yet
	}
	version, err := wholeSum(s.Path(r.Version))
	if errors.Is(err, os.ErrNotExist) {
		return link.Failure{Kind: link.KindProfile, Version: r.Version, Why: r.Why}, nil
	}
	if err != nil {
		return link.Failure{}, err
	}
	return link.Failure{Kind: link.KindProfile, Version: version, Why: r.Why}, nil
}
