package main

import (
	"strings"
	"testing"
)

// The application writes in the borne's folder, and yet cannot put an identity of
// its own in the place of the agent's, with a hub of its own in it.
func TestApplicationLeavesIdentity(t *testing.T) {
	t.Parallel()
	b := newBench(t, release{version: "1.0", mode: "good"})
	pid := strings.TrimSpace(b.Run(t, "systemctl", "show", "--property=MainPID", "--value", "parvis.service"))
	application := func(script string) error {
		out, err := b.Command("root", "nsenter", "--target", pid, "--mount", "--",
			"setpriv", "--reuid=parvis", "--regid=parvis", "--init-groups", "/bin/sh", "-ec", script).CombinedOutput()
		t.Logf("%s: %v\n%s", script, err, out)
		return err
	}
	if err := application("cd " + borne + " && mkdir a && mv a b && rmdir b"); err != nil {
		t.Fatalf("the application can't write in the borne's folder: %v", err)
	}
	for _, attack := range []string{"mv identity away", "ls identity", "mkdir a && mv -T a identity", "rm -r identity"} {
		if err := application("cd " + borne + " && " + attack); err == nil {
			t.Errorf("the application may: %s", attack)
		}
	}
	b.Run(t, "runuser", "-u", "parvis-agent", "--", "touch", borne+"identity/still-the-agents")
}
