package main

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHalvesShareNothing(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8} {
		var all unix.CPUSet
		for i := range n {
			all.Set(3 * i)
		}
		first, second, err := halves(all)
		if n < 2 {
			if err == nil {
				t.Errorf("one CPU was divided")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if first.Count() != n/2 || second.Count() != n-n/2 {
			t.Errorf("%d CPUs: %d and %d", n, first.Count(), second.Count())
		}
		for i := range n {
			if first.IsSet(3*i) == second.IsSet(3*i) {
				t.Errorf("%d CPUs: CPU %d is in both or in none", n, 3*i)
			}
		}
	}
}

// allowed is what the kernel says of a process that is started now.
func allowed() (string, error) {
	out, err := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status").Output()
	return strings.TrimSpace(strings.TrimPrefix(string(out), "Cpus_allowed_list:")), err
}

// TestStandApart is the last word on it: the kernel's, about processes.
func TestStandApart(t *testing.T) {
	all, err := cpus(0)
	if err != nil {
		t.Fatal(err)
	}
	if all.Count() < 2 {
		t.Skip("this machine has one CPU")
	}
	was := runtime.GOMAXPROCS(0)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(was)
		if err := confine(all); err != nil {
			t.Error(err)
		}
	})
	within, err := standApart()
	if err != nil {
		t.Fatal(err)
	}
	var theirs string
	if err := within(func() (err error) { theirs, err = allowed(); return err }); err != nil {
		t.Fatal(err)
	}
	ours, err := allowed()
	if err != nil {
		t.Fatal(err)
	}
	if theirs == ours || theirs == "" || ours == "" {
		t.Errorf("the control plane may run on %q, the rest on %q", theirs, ours)
	}
}
