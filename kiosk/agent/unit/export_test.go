package unit

import "context"

// ConnectTo is Connect to another bus.
func ConnectTo(ctx context.Context, address string) (*Conn, error) { return connect(ctx, address) }
