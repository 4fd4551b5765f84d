package pack

import (
	"crypto/ed25519"
	"encoding/hex"
)

// SignBytes signs bytes as they are.
func SignBytes(k Key, data []byte) (id, signature string) {
	return k.id(), hex.EncodeToString(ed25519.Sign(k.private, data))
}
