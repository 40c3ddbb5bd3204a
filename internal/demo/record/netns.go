package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// insideEnv tells the re-executed program that it is inside the namespace.
const insideEnv = "VIGIL_RECORD_INSIDE"

// The networks of the story. Offices and servers have private addresses; the
// outside world has the ranges that are reserved for documentation.
const (
	serverAddr = "10.20.0.5"
	serverPort = 5432
)

// networks are routed to the namespace's loopback, so that a client may bind any
// address in them and the server sees it as the peer.
var networks = []string{"10.20.0.0/16", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}

func inNamespace() bool { return os.Getenv(insideEnv) == "1" }

// enterNamespace runs this program again in namespaces of its own, in which only
// the story's addresses exist and the server's folder is empty, and waits for it.
func enterNamespace(ctx context.Context, args []string, stderr io.Writer) error {
	if os.Geteuid() != 0 {
		return errors.New("recording needs root, for a network namespace with the story's addresses: run it again with sudo")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	//nolint:gosec // This very program, with the arguments that it was given.
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	// A gentle end: the child stops its server and removes its folder.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("record inside the namespace: %w", err)
	}
	return nil
}

// home is where Debian's PostgreSQL keeps its data, and where ours does.
const home = "/var/lib/postgresql"

// mountHome puts a memory file system over home, for this process and its
// children alone: the server finds the folder that its log will name, nothing of
// the machine's own is touched, and all is gone when the program ends.
func mountHome() error {
	if _, err := os.Stat(home); err != nil {
		return fmt.Errorf("find PostgreSQL's home: %w: install postgresql-15", err)
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", home, "tmpfs", 0, "size=2g,mode=755"); err != nil {
		return fmt.Errorf("mount a memory file system: %w", err)
	}
	return nil
}

// raiseNetworks makes the story's addresses local.
func raiseNetworks(ctx context.Context) error {
	steps := [][]string{{"link", "set", "lo", "up"}}
	for _, n := range networks {
		steps = append(steps, []string{"route", "add", "local", n, "dev", "lo"})
	}
	for _, s := range steps {
		out, err := exec.CommandContext(ctx, "ip", s...).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("set up addresses: %w: install iproute2", err)
		}
		if err != nil {
			return fmt.Errorf("set up addresses: ip %q: %w: %q", s, err, out)
		}
	}
	return nil
}
