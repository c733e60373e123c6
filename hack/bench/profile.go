package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// profileSeconds is how long a CPU profile is taken.
const profileSeconds = 30

// profile takes a CPU profile of the operator from now on, if profiles are wanted. The
// function that it returns waits for it.
func (b *bench) profile(ctx context.Context, name string) func() error {
	if !b.profiles || b.operator == nil {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	address, path := b.operator.pprof, filepath.Join(b.state, "cpu-"+name+".pprof")
	go func() {
		if err := b.awaitProfiles(ctx, address); err != nil {
			ended <- err
			return
		}
		ended <- fetchTo(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, profileSeconds), path)
	}()
	return func() error { return <-ended }
}

// awaitProfiles waits until the operator serves profiles.
func (b *bench) awaitProfiles(ctx context.Context, address string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := get(ctx, "http://"+address+"/debug/pprof/cmdline"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the operator's profiles: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// profileHeap takes a heap profile, if profiles are wanted.
func (b *bench) profileHeap(ctx context.Context, name string) error {
	if !b.profiles {
		return nil
	}
	return fetchTo(ctx, "http://"+b.operator.pprof+"/debug/pprof/heap", filepath.Join(b.state, "heap-"+name+".pprof"))
}

func fetchTo(ctx context.Context, url, path string) error {
	raw, err := get(ctx, url)
	if err != nil {
		return fmt.Errorf("taking a profile: %w", err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return fmt.Errorf("saving a profile: %w", err)
	}
	return nil
}
