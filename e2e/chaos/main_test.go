// Package chaos tries to lose a request to be called back, or to have it twice:
// it cuts the network and kills agents, applications and hubs of a small town at
// random, and then counts.
package chaos

import (
	"context"
	"fmt"
	"os"
	"testing"

	"parvis/e2e/xdrive"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(appDir); dir != "" {
		if err := serveResidents(context.Background(), dir, os.Getenv(appPlan)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(xdrive.Main(m.Run))
}
