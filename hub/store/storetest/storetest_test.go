package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

func TestEach(t *testing.T) {
	ran := 0
	storetest.Each(t, func(t *testing.T, open func() *store.Store, dsn string) {
		ran++
		one, two := open(), open()
		if err := one.SetSetting(context.Background(), "tried", dsn); err != nil {
			t.Fatal(err)
		}
		if got, err := two.Setting(context.Background(), "tried"); err != nil || got != dsn {
			t.Errorf("the second store reads %q, %v", got, err)
		}
	})
	if ran != 2 {
		t.Errorf("ran %d times", ran)
	}
}

// A test program that is killed leaves neither a server nor its folder. The
// test runs itself again for that, as the program to be killed.
func TestServerEndsWithTheProgram(t *testing.T) {
	if os.Getenv("PARVIS_TEST_VICTIM") != "" {
		dsn := storetest.Postgres(t)
		os.Stdout.WriteString("dsn " + dsn + "\n")
		time.Sleep(time.Minute) // until it is killed
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithTheProgram$")
	cmd.Env = append(os.Environ(), "PARVIS_TEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	dsn, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "dsn ")
	if !ok {
		t.Fatalf("it says %q", buf[:n])
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(config.Host); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", config.Host)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestServerStopsAndStarts(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	s := storetest.Open(t, server.Database(t))
	if err := s.SetSetting(context.Background(), "tried", "yes"); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	if err := s.Ping(context.Background()); err == nil {
		t.Error("a stopped server answers")
	}
	server.Start(t)
	if got, err := s.Setting(context.Background(), "tried"); err != nil || got != "yes" {
		t.Errorf("after the restart: %q, %v", got, err)
	}
}
