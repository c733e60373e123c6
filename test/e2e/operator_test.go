package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// operator is Mithaq, built from this tree, as a process of its own.
type operator struct {
	binary, kubeconfig, metrics, consent string
	log                                  *journal

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

func newOperator(ctx context.Context, dir string) (*operator, error) {
	o := &operator{binary: filepath.Join(dir, "mithaq"), log: &journal{}}
	build := exec.CommandContext(ctx, "go", append(append([]string{"build"}, buildFlags...), "-o", o.binary, ".")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the operator: %w\n%s", err, out)
	}
	var err error
	if o.kubeconfig, err = kubeconfig(ctx, dir); err != nil {
		return nil, err
	}
	for _, address := range []*string{&o.metrics, &o.consent} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*address = listener.Addr().String()
		if err := listener.Close(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// start runs the operator until it is stopped or killed.
func (o *operator) start() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	cmd := exec.Command(o.binary,
		"--operator-namespace", operatorNamespace, "--allow-insecure-endpoints", "--metrics-bind-address", o.metrics,
		"--consent-url", "http://"+o.consent, "--consent-bind-address", o.consent,
		"--metrics-secure=false", "--health-probe-bind-address", "0", "--counts-settle", "500ms", "--zap-log-level", "info")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+o.kubeconfig)
	cmd.Stdout, cmd.Stderr = o.log, o.log
	if err := cmd.Start(); err != nil {
		return err
	}
	o.cmd, o.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		o.err = cmd.Wait()
		close(done)
	}(o.done)
	return nil
}

// stop ends the operator as a kubelet does.
func (o *operator) stop() error {
	if err := o.end(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the operator did not end well: %w", err)
	}
	return nil
}

// end sends a signal and waits until the process is gone.
func (o *operator) end(signal syscall.Signal) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log.expectEnd(true)
	defer o.log.expectEnd(false)
	if err := o.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-o.done:
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("it did not end within 30 s"), o.cmd.Process.Kill())
	}
	if signal == syscall.SIGKILL {
		return nil
	}
	return o.err
}

// ready waits until the operator serves its metrics.
func (o *operator) ready(ctx context.Context) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		_, err := o.scrape(ctx)
		if err != nil && o.gone() {
			return false, errors.New("the operator ended")
		}
		return err == nil, nil
	})
}

// gone says that the process ended by itself.
func (o *operator) gone() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// restart ends the operator by a signal and runs it again.
func (o *operator) restart(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := o.end(signal); err != nil {
		t.Fatalf("ending the operator by %s: %v", signal, err)
	}
	if err := o.start(); err != nil {
		t.Fatal(err)
	}
}

// scrape reads the operator's metrics.
func (o *operator) scrape(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	return string(raw), err
}

// journal holds what the operator logs.
type journal struct {
	mu    sync.Mutex
	part  []byte
	lines []string
	// faults are being injected: errors are to be expected.
	faults bool
	// The operator is being stopped: what is under way is given up.
	ending bool
	bad    []string
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.part = append(j.part, p...)
	for {
		i := bytes.IndexByte(j.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		j.take(string(j.part[:i]))
		j.part = j.part[i+1:]
	}
}

func (j *journal) take(line string) {
	ended := j.ending && strings.Contains(line, "cancel")
	line = line[:min(len(line), 600)] // stack traces fill screens
	j.lines = append(j.lines, line)
	for _, never := range []string{"panic", "DATA RACE", "fatal error:"} {
		if strings.Contains(strings.ReplaceAll(line, `"panics"`, ""), never) {
			j.bad = append(j.bad, line)
		}
	}
	if j.faults || ended {
		return
	}
	if strings.Contains(line, "Reconciler error") || strings.Contains(line, "is forbidden") {
		j.bad = append(j.bad, line)
	}
}

// expectFaults says whether errors are to be expected from now on.
func (j *journal) expectFaults(yes bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.faults = yes
}

func (j *journal) expectEnd(yes bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ending = yes
}

// complaints are the lines that must not be.
func (j *journal) complaints() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.bad[:min(len(j.bad), 10)], "\n")
}

// holding are the lines that hold one of some words.
func (j *journal) holding(words ...string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, line := range j.lines {
		for _, word := range words {
			if strings.Contains(line, word) {
				out = append(out, line)
			}
		}
	}
	return out
}

func (j *journal) dump(w io.Writer, last int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintln(w, "the operator's log ends with:")
	for _, line := range j.lines[max(0, len(j.lines)-last):] {
		fmt.Fprintln(w, " ", line)
	}
}
