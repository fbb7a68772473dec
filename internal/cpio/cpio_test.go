package cpio

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	var b bytes.Buffer
	c := NewWriter(&b)
	c.Dir("dev")
	c.Char("dev/console", 0o600, 5, 1)
	c.File("init", 0o755, 5, strings.NewReader("hello"))
	c.File("empty", 0o644, 0, strings.NewReader(""))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len()%4 != 0 {
		t.Errorf("archive of %d bytes is not padded", b.Len())
	}
	var got []string
	err := Each(&b, func(name string, mode uint32, size int64, r io.Reader) error {
		content, err := io.ReadAll(io.LimitReader(r, 2)) // the rest must be skipped
		got = append(got, name+"="+string(content))
		return err
	})
	if want := "dev= dev/console= init=he empty="; err != nil || strings.Join(got, " ") != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
}

func TestShortFile(t *testing.T) {
	c := NewWriter(io.Discard)
	c.File("init", 0o755, 10, strings.NewReader("short"))
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("got %v", err)
	}
}

func TestDamaged(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	w.File("name", 0o644, 6, strings.NewReader("abcdef"))
	w.Close()
	whole := b.String()
	entry := len(whole) - len("TRAILER!!!") - 1 - 110 - 3 // what comes before the end mark
	for _, c := range []struct {
		archive string
		want    error
	}{
		{"", ErrFormat},
		{"070701", ErrFormat},
		{strings.Repeat("0", 110), ErrFormat},
		{"070701" + strings.Repeat("F", 104), ErrFormat},
		{whole[:entry], ErrNoEnd},
		{whole[:entry+50], ErrNoEnd},
		{whole[:entry] + strings.Repeat("x", 110), ErrFormat},
		{whole[:112], io.ErrUnexpectedEOF},
		{whole[:110], io.ErrUnexpectedEOF},
		{whole[:entry-3], io.ErrUnexpectedEOF},
		{whole[:entry-1], io.ErrUnexpectedEOF},
		{whole, nil},
	} {
		err := Each(strings.NewReader(c.archive), func(string, uint32, int64, io.Reader) error { return nil })
		if err != c.want {
			t.Errorf("%d of %d bytes: %v, not %v", len(c.archive), len(whole), err, c.want)
		}
	}
}
