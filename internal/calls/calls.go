// Package calls has a typed function for every action of the catalogue. Whatever in this
// module does an action whose name is known when it is written does it with these: the
// shell, the actions that are made of others, and package guestfs.
package calls

import (
	"context"
	"errors"

	"gofish/internal/api"
)

// Caller does actions: a handle, or an action which is made of others.
type Caller interface {
	// Call does an action; args and opts are as package api describes them.
	Call(ctx context.Context, a *api.Action, args, opts []any) (any, error)
}

// Client has the methods.
type Client struct{ Caller Caller }

func (cl Client) do(ctx context.Context, action string, args, opts []any) error {
	_, err := cl.Caller.Call(ctx, api.All.Lookup(action), args, opts)
	return err
}

func result[T any](cl Client, ctx context.Context, action string, args, opts []any) (v T, err error) {
	r, err := cl.Caller.Call(ctx, api.All.Lookup(action), args, opts)
	if err == nil {
		v = r.(T)
	}
	return v, err
}

// one is the options given, if any.
func one[T any](options []T, values func(T) []any) ([]any, error) {
	switch len(options) {
	case 0:
		return nil, nil
	case 1:
		return values(options[0]), nil
	}
	return nil, errors.New("options are given more than once")
}

func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func list(l []string) any {
	if l == nil {
		return nil
	}
	return l
}
