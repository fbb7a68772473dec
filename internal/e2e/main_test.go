package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Set by TestMain.
var (
	gofishBin string // the program under test
	scratch   string // a directory for the whole run
)

const repo = "../.."

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	var err error
	if scratch, err = os.MkdirTemp("", "gofish-e2e-*"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(scratch)
	bin := filepath.Join(scratch, "bin")
	gofishBin = filepath.Join(bin, "gofish")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return 1, err
	}
	build := exec.Command("go", "build", "-trimpath", "-o", bin+"/", "./cmd/gofish", "./internal/e2e/...")
	build.Dir = repo
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%w: %s", err, out)
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	os.Setenv("HOME", scratch+"/home")
	os.Setenv("LIBGUESTFS_BACKEND", "direct")
	os.Setenv("LIBGUESTFS_BACKEND_SETTINGS", "force_tcg")
	if os.Getenv("XDG_CACHE_HOME") == "" {
		// The appliance of the real home directory, not of the tests' own.
		if dir, err := realHome(); err == nil {
			os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
		}
	}
	if err := os.MkdirAll(scratch+"/home", 0o755); err != nil {
		return 1, err
	}
	ready := exec.Command(gofishBin, "appliance", "build")
	ready.Stdout, ready.Stderr = os.Stderr, os.Stderr
	if err := ready.Run(); err != nil {
		return 1, fmt.Errorf("gofish appliance build: %w", err)
	}
	return m.Run(), nil
}

// limit is a time limit, scaled for the machine.
func limit(d time.Duration) time.Duration {
	if s, err := strconv.ParseFloat(os.Getenv("GOFISH_TEST_SCALE"), 64); err == nil && s > 0 {
		return time.Duration(float64(d) * s)
	}
	return d
}

// result is what a program left behind.
type result struct {
	stdout, stderr string
	status         int
}

// program runs a program to its end. Output goes to files, so that a child
// which inherits it keeps nobody waiting.
func program(t *testing.T, dir string, env []string, stdin string, args ...string) result {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), limit(10*time.Minute)) // guestfish's inspection takes half of it
	defer stop()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	c.Stdin = bytes.NewReader([]byte(stdin))
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v did not end in time\nstdout: %s\nstderr: %s", args, &out, &errs)
	}
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatalf("%v: %v", args, err)
	}
	return result{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// need skips nothing: a peer that is missing is a broken set-up.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is not installed; run scripts/setup", p)
		}
	}
}

func realHome() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return u.HomeDir, nil
}
