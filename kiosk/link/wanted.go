package link

import (
	"context"
	"net/http"
)

// Wanted is what the hub wants a borne to have. A borne asks for it when the
// tag in the answer to its report is not that of the Wanted it last dealt with,
// and works towards it by itself, between two visits.
type Wanted struct {
	Tag string `json:"tag"`
	// Profile is the borne's whole profile, a TOML file; nil while the hub keeps
	// none, and the borne goes on with its own.
	Profile *File `json:"profile,omitempty"`
	// Pack is the version of the signed content; empty to stay with what the
	// borne has.
	Pack string `json:"pack,omitempty"`
	// Software is the version of the Debian package parvis-borne; empty to stay
	// with what is installed.
	Software string `json:"software,omitempty"`
}

// File is a file that the hub hands out at /files/{sha256}.
type File struct {
	SHA256 string `json:"sha256"` // in hexadecimal
	Size   int64  `json:"size"`   // bytes
}

// The kinds of what a borne is wanted to have.
const (
	KindProfile  = "profile"
	KindPack     = "pack"
	KindSoftware = "software"
)

// Failure says that a borne could not go on with something it was wanted to
// have, and has gone back to what it had before.
type Failure struct {
	Kind    string `json:"k"` // one of the Kind… constants
	Version string `json:"v"` // a profile's is its SHA-256
	Why     string `json:"w"` // for IT staff, in French; at most 300 letters
}

// Wanted asks what the borne should have.
func (c *Client) Wanted(ctx context.Context) (Wanted, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var a Wanted
	_, err := c.do(ctx, http.MethodGet, "/wanted", nil, &a)
	return a, err
}
