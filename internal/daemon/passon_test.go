package daemon

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// What a tool writes after its complaint does not count, however fast it comes.
func TestPassOnEndsAtAComplaint(t *testing.T) {
	harmless := func(line string) bool { return strings.HasPrefix(line, "note:") }
	run := func(script string) (string, error) {
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		var out bytes.Buffer
		err := passOn(ctx, []string{"sh", "-c", script}, &out, harmless)
		return out.String(), err
	}
	for range 20 {
		out, err := run("printf good; echo note: nothing >&2; printf more; echo x: cannot be read >&2; printf bad; sleep 20")
		var tool *ToolError
		if !errors.As(err, &tool) || tool.Text != "x: cannot be read" || strings.Contains(out, "bad") {
			t.Fatalf("%q, %v", out, err)
		}
	}
	if out, err := run("head -c 300000 /dev/zero; echo note: >&2; yes note: | head -c 200000 >&2; printf end"); err != nil || len(out) != 300003 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	var tool *ToolError
	if _, err := run("printf x; printf half >&2; exit 3"); !errors.As(err, &tool) || tool.Status != 3 || tool.Text != "half" {
		t.Errorf("%v", err)
	}
	if _, err := run("kill -9 $$"); !errors.As(err, &tool) || tool.Status != -1 {
		t.Errorf("%v", err)
	}
	if err := passOn(context.Background(), []string{"no-such-program"}, &bytes.Buffer{}, harmless); err == nil {
		t.Error("a program that is not there ran")
	}
	ctx, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer stop()
	if err := passOn(ctx, []string{"sleep", "20"}, &bytes.Buffer{}, harmless); err == nil {
		t.Error("it was not stopped")
	}
}
