package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// augeas.h
const (
	augNoLoad     = 1 << 5
	augNoErrClose = 1 << 8

	augNoError = 0
	augNoMem   = 1
)

// augeas is a tree of the guest's configuration.
type augeas struct{ object }

type augeasActions struct{ *augeas }

func newAugeas(g *guest) (any, error) {
	l, err := load("libaugeas.so.0")
	if err != nil {
		return nil, err
	}
	return augeasActions{&augeas{object{clib: l, guest: g, closer: "aug_close", none: errNoAugeas}}}, nil
}

var errNoAugeas = errors.New("you must call 'aug-init' first to initialize Augeas")

// do calls a function of the library whose first argument is the tree.
func (a *augeas) do(symbol string, args ...any) int {
	n, _ := a.number(symbol, append([]any{a.p}, args...)...)
	return n
}

// failed returns an error with what the library knows about the call that just failed.
func (a *augeas) failed(what string) error {
	if a.do("aug_error") == augNoMem {
		return errors.New("augeas is out of memory")
	}
	parts := []string{what}
	for _, symbol := range []string{"aug_error_message", "aug_error_minor_message", "aug_error_details"} {
		p, _ := a.call(symbol, a.p)
		if s := textAt(p); s != "" && !(symbol == "aug_error_message" && a.do("aug_error") == augNoError) {
			parts = append(parts, oneLine(s))
		}
	}
	if len(parts) == 1 {
		parts = append(parts, "refused by Augeas, which gives no reason")
	}
	return errors.New(strings.Join(parts, ": "))
}

// oneLine is the first line of a text.
func oneLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// check runs fn if there is a tree; a negative number is an error about what.
func (a *augeas) check(what string, fn func() int) (int, error) {
	if a.p == 0 {
		return 0, errNoAugeas
	}
	n := fn()
	if n < 0 {
		return 0, a.failed(what)
	}
	return n, nil
}

func (a augeasActions) AugInit(root string, flags int) error {
	a.close()
	// The lenses are the appliance's: they are loaded here. The files are the guest's,
	// and are loaded inside. A root is a path inside the guest.
	aug, _ := a.call("aug_init", root, nil, flags|augNoLoad|augNoErrClose)
	if aug == 0 {
		return errors.New("augeas initialization failed: out of memory")
	}
	a.p = aug
	if a.do("aug_error") != augNoError {
		err := a.failed("augeas initialization")
		a.close()
		return err
	}
	if flags&augNoLoad != 0 {
		return nil
	}
	return a.AugLoad()
}

func (a augeasActions) AugClose() error { return a.end() }

func (a augeasActions) AugLoad() error {
	_, err := a.check("load the guest's files", func() (n int) {
		if err := a.guest.inside(func() { n = a.do("aug_load") }); err != nil {
			return -1
		}
		return n
	})
	return err
}

func (a augeasActions) AugSave() error {
	if a.p == 0 {
		return errNoAugeas
	}
	n := 0
	if err := a.guest.inside(func() { n = a.do("aug_save") }); err != nil {
		return err
	}
	if n >= 0 {
		return nil
	}
	// The library does not report a file that cannot be written as an error: it is recorded in the tree.
	if l, err := a.match("/augeas//error"); err == nil && len(l) > 0 && a.do("aug_error") == augNoError {
		var texts []string
		for _, p := range l {
			kind, _, _ := a.value(p)
			message, _, _ := a.value(p + "/message")
			file := strings.TrimPrefix(strings.TrimSuffix(p, "/error"), "/augeas/files")
			if kind == "" || file == "/augeas" {
				continue
			}
			if message != "" {
				kind += ": " + oneLine(message)
			}
			texts = append(texts, file+": "+kind)
		}
		if len(texts) > 0 {
			return errors.New("not saved: " + strings.Join(texts, "; "))
		}
	}
	return a.failed("save")
}

func (a augeasActions) AugDefvar(name string, expr *string) (int, error) {
	what := "define " + name
	if expr != nil {
		what += " as " + *expr
	}
	return a.check(what, func() int { return a.do("aug_defvar", name, expr) })
}

func (a augeasActions) AugDefnode(name, expr, val string) (api.IntBool, error) {
	var created int32
	n, err := a.check("define "+name+" as "+expr, func() int { return a.do("aug_defnode", name, expr, val, &created) })
	return api.IntBool{I: int32(n), B: created}, err
}

// value is the value of a node; set tells whether it has one. No node is an error.
func (a *augeas) value(path string) (text string, set bool, err error) {
	var p uintptr
	n, err := a.check(path, func() int { return a.do("aug_get", path, &p) })
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: no matching node", path)
	}
	return textAt(p), p != 0, err
}

func (a augeasActions) AugGet(augpath string) (string, error) {
	s, set, err := a.value(augpath)
	if err == nil && !set {
		err = fmt.Errorf("%s: this node has no value", augpath)
	}
	return s, err
}

func (a augeasActions) AugLabel(augpath string) (string, error) {
	var p uintptr
	n, err := a.check(augpath, func() int { return a.do("aug_label", augpath, &p) })
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: no matching node", augpath)
	}
	if err == nil && p == 0 {
		err = fmt.Errorf("%s: this node has no label", augpath)
	}
	return textAt(p), err
}

func (a augeasActions) AugSet(augpath, val string) error {
	_, err := a.check(augpath, func() int { return a.do("aug_set", augpath, val) })
	return err
}

func (a augeasActions) AugClear(augpath string) error {
	_, err := a.check(augpath, func() int { return a.do("aug_set", augpath, nil) })
	return err
}

func (a augeasActions) AugSetm(base string, sub *string, val string) (int, error) {
	what := base
	if sub != nil {
		what += ": " + *sub
	}
	return a.check(what, func() int { return a.do("aug_setm", base, sub, val) })
}

func (a augeasActions) AugInsert(augpath, label string, before bool) error {
	_, err := a.check(augpath+": insert "+label, func() int { return a.do("aug_insert", augpath, label, before) })
	return err
}

func (a augeasActions) AugRm(augpath string) (int, error) {
	return a.check(augpath, func() int { return a.do("aug_rm", augpath) })
}

func (a augeasActions) AugMv(src, dest string) error {
	_, err := a.check(src+" to "+dest, func() int { return a.do("aug_mv", src, dest) })
	return err
}

// match lists the paths of the nodes that an expression matches.
func (a *augeas) match(expr string) ([]string, error) {
	var list uintptr
	n, err := a.check(expr, func() int { return a.do("aug_match", expr, &list) })
	if err != nil {
		return nil, err
	}
	l := make([]string, 0, n)
	for i := range n {
		l = append(l, a.takeText(word(list+uintptr(i)*wordSize)))
	}
	a.call("free", list)
	return l, nil
}

func (a augeasActions) AugMatch(augpath string) ([]string, error) { return a.match(augpath) }

func (a augeasActions) AugLs(augpath string) ([]string, error) {
	if a.p == 0 {
		return nil, errNoAugeas
	}
	if augpath != "/" && strings.ContainsAny(lastByte(augpath), "/]*") {
		return nil, fmt.Errorf("%s: aug-ls adds /* to the path, which must not end in /, ] or *: use aug-match", augpath)
	}
	l, err := a.match(strings.TrimSuffix(augpath, "/") + "/*")
	sort.Strings(l)
	return l, err
}

func lastByte(s string) string { return s[max(len(s)-1, 0):] }

func (a augeasActions) AugTransform(lens, file string, o types.AugTransformOptions) error {
	exclude := o.Remove != nil && *o.Remove
	_, err := a.check(lens+" for "+file, func() int { return a.do("aug_transform", lens, file, exclude) })
	return err
}
