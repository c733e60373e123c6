// Package measure reads what the benchmark counts: the API server's own metrics, the
// kernel's account of a process, and the simulator's ledger. What cannot be read is an
// error, never a zero.
package measure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrFormat says that a text is not of the form that it should have.
var ErrFormat = errors.New("unexpected format")

// tick is the unit of processor times in /proc: Linux shows them to programs in
// hundredths of a second (USER_HZ, proc(5)) on every architecture that Go runs on.
const tick = time.Second / 100

// CPU is the processor time that a process has used, in the kernel and outside, to a
// hundredth of a second.
func CPU(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time: %w", err)
	}
	return parseStat(raw)
}

// parseStat reads fields 14 and 15 of proc(5)'s stat. The name of the program, field 2,
// is in parentheses and may hold any character.
func parseStat(raw []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(raw, ')')
	if end < 0 {
		return 0, fmt.Errorf("stat: %w", ErrFormat)
	}
	fields := strings.Fields(string(raw[end+1:])) // from field 3 on
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat: %w: %d fields", ErrFormat, len(fields)+2)
	}
	var sum uint64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(field, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("stat: %w: %w", ErrFormat, err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// Memory is what a process holds, in bytes.
type Memory struct {
	// RSS is resident now, Peak the most that ever was.
	RSS, Peak int64
}

// MemoryOf reads the memory of a process.
func MemoryOf(pid int) (Memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("reading the memory: %w", err)
	}
	return parseStatus(raw)
}

func parseStatus(raw []byte) (Memory, error) {
	var m Memory
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		var into *int64
		switch name {
		case "VmRSS":
			into = &m.RSS
		case "VmHWM":
			into = &m.Peak
		default:
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, err := strconv.ParseInt(number, 10, 53)
		if err != nil || unit != "kB" {
			return Memory{}, fmt.Errorf("%s: %w: %q", name, ErrFormat, strings.TrimSpace(value))
		}
		*into = n * 1024
	}
	if m.RSS == 0 || m.Peak == 0 {
		return Memory{}, fmt.Errorf("status: %w: no VmRSS or VmHWM", ErrFormat)
	}
	return m, nil
}
