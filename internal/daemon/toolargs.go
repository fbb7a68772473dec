package daemon

import (
	"fmt"
	"strconv"
)

// Optional arguments of an action, and the options of a tool that they become.

// argBuilder turns optional arguments into options of a tool. Numbers must not
// be negative.
type argBuilder struct {
	args     []string
	negative string // text of the error, with the argument's name
	err      error
}

func (b *argBuilder) flag(opt string, v *bool) {
	if isTrue(v) {
		b.args = append(b.args, opt)
	}
}

func (b *argBuilder) text(opt string, v *string) {
	if v != nil {
		b.args = append(b.args, opt, *v)
	}
}

func (b *argBuilder) check(name string, v int64) {
	if v < 0 && b.err == nil {
		b.err = fmt.Errorf(b.negative, name)
	}
}

func (b *argBuilder) int64(opt, name string, v *int64) {
	if v != nil {
		b.check(name, *v)
		b.args = append(b.args, opt, strconv.FormatInt(*v, 10))
	}
}

func (b *argBuilder) int(opt, name string, v *int) {
	if v != nil {
		n := int64(*v)
		b.int64(opt, name, &n)
	}
}

// value adds an option of the form OPT NAME=VALUE.
func (b *argBuilder) value(opt, key, name string, v *int64) {
	if v != nil {
		b.check(name, *v)
		b.args = append(b.args, opt, key+"="+strconv.FormatInt(*v, 10))
	}
}

// isTrue reports whether an optional truth value is there and true.
func isTrue(b *bool) bool { return b != nil && *b }

func ptr[T any](v T) *T { return &v }
