package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// pathPack is a file of the packs' signed metadata.
const pathPack = link.Prefix + "/pack/{file}"

type packInput struct {
	File string `path:"file"`
}

// packFile serves a file of the packs' metadata as it was signed.
func (a *API) packFile(ctx context.Context, in *packInput) (*fileOutput, *problem) {
	data, added, err := a.store.PackFile(ctx, in.File)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknown("Le hub n’a pas ces signatures de contenus.")
	}
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	return &fileOutput{func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(&rangeProblems{ResponseWriter: w, api: a, r: r}, r, "", added, bytes.NewReader(data))
	}}, nil
}
