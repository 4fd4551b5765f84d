package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// source is what the sources say of a build: nothing else of the machine or
// the moment may get into it.
type source struct {
	version string    // as Debian compares versions
	time    time.Time // of the last commit
}

// versions are Debian's, without epoch and revision.
var versions = regexp.MustCompile(`^[0-9][0-9A-Za-z.+~]*$`)

// readSource reads version and time from git; without git, they are to be given
// as asked and SOURCE_DATE_EPOCH (reproducible-builds.org).
func readSource(ctx context.Context, asked string) (source, error) {
	var s source
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		var err error
		if epoch, err = git(ctx, "log", "-1", "--format=%ct"); err != nil {
			return s, fmt.Errorf("no time of the sources: without git, set SOURCE_DATE_EPOCH: %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return s, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	s.time = time.Unix(seconds, 0).UTC()
	s.version = asked
	if asked == "" {
		if s.version, err = describe(ctx, s.time); err != nil {
			return s, fmt.Errorf("no version: without git, give --version: %w", err)
		}
	}
	if !versions.MatchString(s.version) {
		return s, fmt.Errorf("version %q: want a digit first, then letters, digits, . + and ~", s.version)
	}
	return s, nil
}

// describe makes a version of the last tag, such as v1.4.0, and the commits
// since then: 1.4.0 or 1.4.0+5.g8acfadc. Before the first tag it is the commit's
// time, below any 1.0: 0.20261122.0321+g8acfadc. Changes that aren't committed
// show as +local.
func describe(ctx context.Context, commit time.Time) (string, error) {
	if described, err := git(ctx, "describe", "--tags", "--match=v[0-9]*", "--dirty=+local"); err == nil {
		version, since, _ := strings.Cut(strings.TrimPrefix(described, "v"), "-")
		if since == "" {
			return version, nil
		}
		return version + "+" + strings.ReplaceAll(since, "-", "."), nil
	}
	hash, err := git(ctx, "describe", "--always", "--dirty=+local")
	return "0." + commit.Format("20060102.1504") + "+g" + hash, err
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
