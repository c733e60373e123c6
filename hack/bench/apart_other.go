//go:build !linux

package main

import "errors"

// standApart is for Linux alone.
func standApart() (func(func() error) error, error) {
	return nil, errors.New("dividing the CPUs needs Linux")
}
