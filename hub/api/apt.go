package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parvis/hub/apt"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// pathApt is a file of the apt repository. Its path is one parameter, with its
// slashes escaped, as OpenAPI knows no other.
const pathApt = link.Prefix + "/apt/{path}"

type aptInput struct {
	Path string `path:"path"`
}

// aptFile serves a file of the apt repository from any byte on.
func (a *API) aptFile(ctx context.Context, in *aptInput) (*fileOutput, *problem) {
	select {
	case a.downloads <- struct{}{}:
	default:
		return nil, busy(http.StatusServiceUnavailable, "Trop de téléchargements à la fois.", 30*time.Second)
	}
	release := func() { <-a.downloads }
	f, err := a.openApt(ctx, in.Path)
	if err != nil {
		release()
		if errors.Is(err, store.ErrNotFound) {
			return nil, unknown("Le dépôt n’a pas, ou plus, ce fichier.")
		}
		return nil, a.failed(ctx, err)
	}
	return &fileOutput{func(hc huma.Context) {
		defer release()
		r, w := humago.Unwrap(hc)
		f.Serve(&rangeProblems{ResponseWriter: w, api: a, r: r}, r)
	}}, nil
}

func (a *API) openApt(ctx context.Context, path string) (*apt.File, error) {
	if a.apt == nil {
		return nil, store.ErrNotFound
	}
	return a.apt.File(ctx, path)
}
