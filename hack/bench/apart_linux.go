package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// cpus are those that a thread may run on.
func cpus(tid int) (unix.CPUSet, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(tid, &set); err != nil {
		return set, fmt.Errorf("asking which CPUs a thread may run on: %w", err)
	}
	return set, nil
}

// halves divides a set; the first is the smaller if they differ.
func halves(all unix.CPUSet) (first, second unix.CPUSet, err error) {
	n, begun := all.Count(), 0
	if n < 2 {
		return first, second, errors.New("there is one CPU, which cannot be divided")
	}
	for cpu := 0; begun < n; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if begun < n/2 {
			first.Set(cpu)
		} else {
			second.Set(cpu)
		}
		begun++
	}
	return first, second, nil
}

// confine confines this process. A new thread inherits from the one that makes it; those
// that there are do not.
func confine(set unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("listing the threads: %w", err)
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("confining a thread: %w", err)
		}
	}
	return nil
}

// standApart confines this process, and whatever it starts from now on, to one half of
// the CPUs, and returns what confines processes that start while it runs do to the other.
func standApart() (within func(func() error) error, err error) {
	all, err := cpus(0)
	if err != nil {
		return nil, err
	}
	theirs, ours, err := halves(all)
	if err != nil {
		return nil, err
	}
	if err := confine(ours); err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(ours.Count())
	return func(do func() error) error {
		// What is started by a thread inherits from it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := unix.SchedSetaffinity(0, &theirs); err != nil {
			return fmt.Errorf("confining the control plane: %w", err)
		}
		return errors.Join(do(), unix.SchedSetaffinity(0, &ours))
	}, nil
}
