package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// journal is a directory of systemd's journals that is open, with a place in it.
type journal struct{ object }

type journalActions struct{ *journal }

func newJournal(g *guest) (any, error) {
	l, err := load("libsystemd.so.0")
	if err != nil {
		return nil, err
	}
	return journalActions{&journal{object{clib: l, guest: g, closer: "sd_journal_close", none: errNoJournal}}}, nil
}

var errNoJournal = errors.New("you must call 'journal-open' first to initialize the journal handle")

// do calls a function of the library whose first argument is the journal; it returns
// an error's number, negative.
func (x *journal) do(symbol string, args ...any) (int, error) {
	if x.p == 0 {
		return 0, errNoJournal
	}
	n, _ := x.number(symbol, append([]any{x.p}, args...)...)
	if n < 0 {
		return 0, syscall.Errno(-n)
	}
	return n, nil
}

func (x journalActions) JournalOpen(directory string) error {
	x.close()
	n := 0
	if err := x.guest.inside(func() { n, _ = x.number("sd_journal_open_directory", &x.p, directory, 0) }); err != nil {
		return err
	}
	if n < 0 {
		x.p = 0
		return fmt.Errorf("%s: %w", directory, syscall.Errno(-n))
	}
	return nil
}

func (x journalActions) JournalClose() error { return x.end() }

func (x journalActions) JournalNext() (bool, error) {
	n, err := x.do("sd_journal_next")
	return n > 0, err
}

func (x journalActions) JournalSkip(skip int64) (int64, error) {
	symbol, steps := "sd_journal_next_skip", uint64(skip)
	switch {
	case x.p == 0:
		return 0, errNoJournal
	case skip == 0:
		return 0, nil
	case skip < 0:
		symbol, steps = "sd_journal_previous_skip", -steps
	}
	n, err := x.do(symbol, steps)
	return int64(n), err
}

func (x journalActions) JournalGetDataThreshold() (int64, error) {
	var size uintptr
	_, err := x.do("sd_journal_get_data_threshold", &size)
	return int64(size), err
}

func (x journalActions) JournalSetDataThreshold(threshold int64) error {
	if threshold < 0 {
		return fmt.Errorf("threshold %d: must not be negative; 0 is no limit", threshold)
	}
	_, err := x.do("sd_journal_set_data_threshold", threshold)
	return err
}

func (x journalActions) JournalGetRealtimeUsec() (int64, error) {
	var usec uint64
	_, err := x.do("sd_journal_get_realtime_usec", &usec)
	return int64(usec), here(err)
}

// here explains that there is no current entry to read.
func here(err error) error {
	if err == syscall.EADDRNOTAVAIL {
		return fmt.Errorf("not at an entry: call journal-next first: %w", err)
	}
	return err
}

// InternalJournalGet writes each field, NAME=VALUE, preceded by its length in 64 bits.
func (x journalActions) InternalJournalGet(out io.Writer) error {
	if x.p == 0 {
		return errNoJournal
	}
	x.call("sd_journal_restart_data", x.p)
	for {
		var data, size uintptr
		n, err := x.do("sd_journal_enumerate_data", &data, &size)
		if err != nil || n == 0 {
			return here(err)
		}
		b := bytesAt(data, int(size))
		if _, err := out.Write(append(binary.BigEndian.AppendUint64(nil, uint64(len(b))), b...)); err != nil {
			return err
		}
	}
}
