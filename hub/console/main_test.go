package console_test

import (
	"os"
	"testing"

	"parvis/hub/console/browsertest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }
