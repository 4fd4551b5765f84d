package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// hostArch is Debian's name for the architecture of this machine.
func hostArch() string { return runtime.GOARCH }

// build builds programs into dir.
func build(ctx context.Context, s source, arch string, programs []string, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	env := append(os.Environ(), "CGO_ENABLED=1", "GOARCH="+arch,
		"GOFLAGS=-tags=x11,migrated_fynedo,sqlite_fts5 -buildvcs=false", "GOAMD64=v1", "GOARM64=v8.0")
	if arch != hostArch() {
		foreign, err := toolchain(ctx, arch, slices.Contains(programs, "parvis"))
		if err != nil {
			return err
		}
		env = append(env, foreign...)
	}
	args := []string{"build", "-trimpath", "-buildmode=pie",
		"-ldflags=-s -w -buildid= -extldflags=-Wl,-z,relro,-z,now -X parvis/kiosk/version.Version=" + s.version, "-o", dir}
	for _, program := range programs {
		args = append(args, "./cmd/"+program)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building for %s: %w", arch, err)
	}
	return nil
}

// Debian's names of cross-compilers.
var compilers = map[string]string{"amd64": "x86-64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// toolchain is the environment for another architecture: Debian's
// cross-compiler and, for the application, the libraries of that architecture,
// which no package of this one has.
func toolchain(ctx context.Context, arch string, libraries bool) ([]string, error) {
	compiler := strings.Replace(compilers[arch], "x86-64", "x86_64", 1) + "-gcc"
	if _, err := exec.LookPath(compiler); err != nil {
		return nil, fmt.Errorf("%w (Debian package gcc-%s)", err, compilers[arch])
	}
	if !libraries {
		return []string{"CC=" + compiler}, nil
	}
	root, err := sysroot(ctx, arch)
	if err != nil {
		return nil, err
	}
	lib := filepath.Join(root, "usr/lib", strings.TrimSuffix(compiler, "-gcc"), "pkgconfig")
	return []string{
		"CC=" + compiler + " --sysroot=" + root,
		"PKG_CONFIG_SYSROOT_DIR=" + root, "PKG_CONFIG_LIBDIR=" + lib + ":" + filepath.Join(root, "usr/share/pkgconfig"),
	}, nil
}

// What the application is compiled against; see build-deps.txt.
const sysrootPackages = "libc6-dev,libgl1-mesa-dev,libpcsclite-dev,xorg-dev"

// sysroot is a folder with the headers and libraries of an architecture, taken
// from Debian's packages once and kept in the user's cache. Nothing in it runs.
func sysroot(ctx context.Context, arch string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, "parvis", "sysroot-bookworm-"+arch)
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(root), "sysroot-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	archive := filepath.Join(fresh, "root.tar")
	if err := run(ctx, "mmdebstrap", "--quiet", "--variant=extract", "--architectures="+arch, "--skip=check/qemu",
		"--include="+sysrootPackages, "bookworm", archive); err != nil {
		return "", fmt.Errorf("libraries for %s (Debian package mmdebstrap): %w", arch, err)
	}
	tree := filepath.Join(fresh, "root")
	if err := errors.Join(os.Mkdir(tree, 0o755),
		run(ctx, "tar", "--extract", "--no-same-owner", "--exclude=./dev/*", "--file", archive, "--directory", tree)); err != nil {
		return "", err
	}
	// Another build may have been faster.
	if err := os.Rename(tree, root); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return root, nil
}

// run runs a program that says why when it fails.
func run(ctx context.Context, argv ...string) error {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", argv[0], err, out)
	}
	return nil
}

// copyPrograms takes programs that somebody has built.
func copyPrograms(from string, programs []string, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, program := range programs {
		if err := copyFile(filepath.Join(from, program), filepath.Join(to, program)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
