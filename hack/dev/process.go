package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"mithaq.dev/mithaq/hack/dev/apps"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// process is a program that was started here and is ended here.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}

	mu     sync.Mutex
	result error
}

// start runs a program with its output in a log file.
func start(o options, name string, env []string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(o.state, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("creating the log of %s: %w", name, err)
	}
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // our own binaries; stop ends them in order
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	// Ctrl-C reaches only this process, which ends the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), log.Close())
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.result = err
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

func (p *process) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.result == nil {
		return errors.New("without an error")
	}
	return p.result
}

// stop asks the process to end, and makes it end after ten seconds.
func (p *process) stop() error {
	select {
	case <-p.done:
		return p.log.Close()
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("killing %s: %w", p.cmd.Path, err)
		}
		<-p.done
	}
	return p.log.Close()
}

// control is the name of the simulator's own endpoint among its addresses.
const control = "control"

// simulator is the running platform simulator.
type simulator struct {
	*process
	// addresses are the base URLs by platform, in lower case, and that of "control".
	addresses map[string]string
	secrets   map[string]map[string]string
}

// startSimulator starts the simulator and waits until it says where it listens.
func startSimulator(ctx context.Context, o options) (*simulator, error) {
	fleet, err := world.ReadFleet(o.fleet)
	if err != nil {
		return nil, err
	}
	s := &simulator{secrets: apps.Secrets(fleet)}
	ready := filepath.Join(o.state, "simulator.json")
	if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing an old %s: %w", ready, err)
	}
	// The demonstration looks every few seconds, far above what the platforms grant to
	// one app: the simulator grants more, and the operator honours it.
	s.process, err = start(o, "simulator", nil, filepath.Join(o.bin, "platformsim"),
		"--fleet", o.fleet, "--x-listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0", "--ready-file", ready,
		"--x-limit", "100000", "--youtube-units", "10000000", "--meta-engaged", "100000")
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, ready, &s.addresses); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// await reads a JSON file once a process has written it.
func (p *process) await(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if raw, err := os.ReadFile(path); err == nil && json.Unmarshal(raw, into) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not appear: %w", path, ctx.Err())
		case <-p.done:
			return fmt.Errorf("%s ended: %w; see its log", p.cmd.Path, p.err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startOperator runs the operator as its own process under its own service
// account, with the roles that are shipped and no others.
func startOperator(ctx context.Context, o options, c *cluster) (*process, error) {
	kubeconfig, err := c.operatorKubeconfig(ctx, o)
	if err != nil {
		return nil, err
	}
	consents, err := unused()
	if err != nil {
		return nil, err
	}
	return start(o, "operator", []string{"KUBECONFIG=" + kubeconfig}, filepath.Join(o.bin, "mithaq"),
		"--operator-namespace", namespace, "--allow-insecure-endpoints", "--metrics-bind-address", "127.0.0.1:0",
		"--consent-url", "http://"+consents, "--consent-bind-address", consents,
		"--metrics-secure=false", "--health-probe-bind-address", "0", "--counts-settle", "1s")
}

// unused is a loopback address on which nothing listens.
func unused() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return "", fmt.Errorf("finding a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
