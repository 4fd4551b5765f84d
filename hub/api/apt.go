package api

import (
	"context"
	"net/http"

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
	return a.download(ctx, "Le dépôt n’a pas, ou plus, ce fichier.", func() (http.HandlerFunc, error) {
		f, err := a.openApt(ctx, in.Path)
		if err != nil {
			return nil, err
		}
		return f.Serve, nil
	})
}

func (a *API) openApt(ctx context.Context, path string) (*apt.File, error) {
	if a.apt == nil {
		return nil, store.ErrNotFound
	}
	return a.apt.File(ctx, path)
}
