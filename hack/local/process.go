package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"mithaq.dev/mithaq/hack/dev/apps"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// patience is how long a process may take to end before it is killed.
const patience = 40 * time.Second

// Process is a program that was started here and is ended here.
type Process struct {
	// Done is closed when it has ended.
	Done chan struct{}

	cmd    *exec.Cmd
	log    *os.File
	mu     sync.Mutex
	result error
}

// Start runs a program with its output in a log file.
func Start(at Place, name string, env []string, args ...string) (*Process, error) {
	log, err := os.Create(filepath.Join(at.State, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("creating the log of %s: %w", name, err)
	}
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // our own binaries; Stop ends them in order
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	// Ctrl-C reaches only this process, which ends the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), log.Close())
	}
	p := &Process{cmd: cmd, log: log, Done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.result = err
		p.mu.Unlock()
		close(p.Done)
	}()
	return p, nil
}

// PID is its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Err says how it ended.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.result == nil {
		return errors.New("without an error")
	}
	return p.result
}

// Stop asks the process to end, and kills it if it takes too long, which is an error.
func (p *Process) Stop() error {
	select {
	case <-p.Done:
		return closed(p.log)
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.Done:
		return closed(p.log)
	case <-time.After(patience):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", p.cmd.Path, err)
	}
	<-p.Done
	return errors.Join(fmt.Errorf("%s did not end within %s and was killed", p.cmd.Path, patience), closed(p.log))
}

// Kill ends the process as a kernel or a lost machine would, without asking it.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing %s: %w", p.cmd.Path, err)
	}
	<-p.Done
	return closed(p.log)
}

// closed closes a log; a second time is no error.
func closed(log *os.File) error {
	if err := log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Control is the name of the simulator's own endpoint among its addresses.
const Control = "control"

// Simulator is the running platform simulator.
type Simulator struct {
	*Process
	// Addresses are the base URLs by platform, in lower case, and that of Control.
	Addresses map[string]string
	// Secrets are the app Secrets of what it serves, by name.
	Secrets map[string]map[string]string
}

// StartSimulator starts the simulator with a fleet file and further flags, and waits
// until it says where it listens.
func StartSimulator(ctx context.Context, at Place, fleetFile string, flags ...string) (*Simulator, error) {
	fleet, err := world.ReadFleet(fleetFile)
	if err != nil {
		return nil, err
	}
	s := &Simulator{Secrets: apps.Secrets(fleet)}
	ready := filepath.Join(at.State, "simulator.json")
	if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing an old %s: %w", ready, err)
	}
	args := append([]string{
		filepath.Join(at.Bin, "platformsim"), "--fleet", fleetFile,
		"--x-listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0", "--ready-file", ready,
	}, flags...)
	if s.Process, err = Start(at, "simulator", nil, args...); err != nil {
		return nil, err
	}
	if err := s.await(ctx, ready, &s.Addresses); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// await reads a JSON file once a process has written it.
func (p *Process) await(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // a large fleet is read first
	defer cancel()
	for {
		if raw, err := os.ReadFile(path); err == nil && json.Unmarshal(raw, into) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not appear: %w", path, ctx.Err())
		case <-p.Done:
			return fmt.Errorf("%s ended: %w; see its log", p.cmd.Path, p.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
