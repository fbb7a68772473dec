package guestfs

//go:generate go run gofish/internal/api/apigen ..

import "gofish/internal/calls"

type Handle struct{ calls calls.Client }
