package api

import (
	"fmt"
	"reflect"
	"strings"
)

// Types says which Go type a side's functions use for a kind of parameter.
type Types map[Kind]reflect.Type

// Func is an action bound to the method that does it.
type Func struct {
	Action *Action
	method reflect.Value
	first  reflect.Type // the optional leading parameter, nil if there is none
	opts   reflect.Type // the struct of optional arguments, nil if there are none
}

var errorType = reflect.TypeFor[error]()

// Bind connects actions with the methods of recv. Each method takes, in order:
// optionally a value of type call; one parameter for each argument, of the type
// given for its kind; and, if the action has optional arguments, a struct with one
// pointer or slice field for each, nil when absent. It returns the result, if
// there is one, and an error. Bind panics when an action has no method, a method
// no action, or the two disagree. recv is a struct that embeds what the methods
// work on; its methods are not taken for actions.
func Bind(recv any, call reflect.Type, types Types, actions []*Action) map[string]*Func {
	rv := reflect.ValueOf(recv)
	rt := rv.Type()
	funcs := make(map[string]*Func, len(actions))
	used := map[string]bool{}
	for _, a := range actions {
		m := rv.MethodByName(a.Camel())
		if !m.IsValid() {
			panic(fmt.Sprintf("api: %s has no method %s for action %s", rt, a.Camel(), a.Name))
		}
		f, err := bind(a, m, call, types)
		if err != nil {
			panic(fmt.Sprintf("api: %s.%s: %v", rt, a.Camel(), err))
		}
		funcs[a.Name] = f
		used[a.Camel()] = true
	}
	for i := range rt.NumMethod() {
		name := rt.Method(i).Name
		if _, inherited := rt.Field(0).Type.MethodByName(name); !used[name] && !inherited {
			panic(fmt.Sprintf("api: %s.%s belongs to no action", rt, name))
		}
	}
	return funcs
}

func bind(a *Action, m reflect.Value, call reflect.Type, types Types) (*Func, error) {
	f := &Func{Action: a, method: m}
	t := m.Type()
	n := 0
	if t.NumIn() > 0 && t.In(0) == call {
		f.first = call
		n = 1
	}
	for _, p := range a.Args {
		want := types[p.Kind]
		if want == nil {
			return nil, fmt.Errorf("no type for parameter %s", p.Name)
		}
		if n >= t.NumIn() || t.In(n) != want {
			return nil, fmt.Errorf("parameter %s must be a %s", p.Name, want)
		}
		n++
	}
	if len(a.Opts) > 0 {
		if n >= t.NumIn() || t.In(n).Kind() != reflect.Struct {
			return nil, fmt.Errorf("the last parameter must be a struct of optional arguments")
		}
		f.opts = t.In(n)
		n++
		if f.opts.NumField() != len(a.Opts) {
			return nil, fmt.Errorf("%s has %d fields for %d optional arguments", f.opts, f.opts.NumField(), len(a.Opts))
		}
		for i, p := range a.Opts {
			ft := f.opts.Field(i)
			if !strings.EqualFold(ft.Name, strings.ReplaceAll(p.Name, "_", "")) {
				return nil, fmt.Errorf("%s.%s is where optional argument %s should be", f.opts, ft.Name, p.Name)
			}
			want := types[p.Kind]
			if ft.Type != want && !(ft.Type.Kind() == reflect.Pointer && ft.Type.Elem() == want) {
				return nil, fmt.Errorf("%s.%s must point to a %s", f.opts, ft.Name, want)
			}
		}
	}
	if n != t.NumIn() {
		return nil, fmt.Errorf("it has %d parameters too many", t.NumIn()-n)
	}
	want := a.retType()
	outs := 1
	if want != nil {
		outs = 2
	}
	if t.NumOut() != outs || t.Out(outs-1) != errorType || want != nil && t.Out(0) != want {
		return nil, fmt.Errorf("it must return (%v, error)", want)
	}
	return f, nil
}

func (a *Action) retType() reflect.Type {
	switch a.Ret.Kind {
	case RErr:
		return nil
	case RInt:
		return reflect.TypeFor[int]()
	case RInt64:
		return reflect.TypeFor[int64]()
	case RBool:
		return reflect.TypeFor[bool]()
	case RString, RConstString:
		return reflect.TypeFor[string]()
	case RConstOptString:
		return reflect.TypeFor[*string]()
	case RStringList:
		return reflect.TypeFor[[]string]()
	case RHashtable:
		return reflect.TypeFor[Hash]()
	case RBufferOut:
		return reflect.TypeFor[[]byte]()
	case RStruct:
		return StructType(a.Ret.Struct)
	}
	return reflect.SliceOf(StructType(a.Ret.Struct))
}

// Call runs the method. args and opts must hold values of the types that Bind
// was given; call is passed if the method takes it.
func (f *Func) Call(call any, args, opts []any) (any, error) {
	in := make([]reflect.Value, 0, len(args)+2)
	if f.first != nil {
		in = append(in, reflect.ValueOf(call))
	}
	t := f.method.Type()
	for _, a := range args {
		v := reflect.ValueOf(a)
		if !v.IsValid() {
			v = reflect.Zero(t.In(len(in)))
		}
		in = append(in, v)
	}
	if f.opts != nil {
		o := reflect.New(f.opts).Elem()
		for i, v := range opts {
			if v == nil {
				continue
			}
			field := o.Field(i)
			if field.Type() == reflect.TypeOf(v) {
				field.Set(reflect.ValueOf(v))
				continue
			}
			p := reflect.New(field.Type().Elem())
			p.Elem().Set(reflect.ValueOf(v))
			field.Set(p)
		}
		in = append(in, o)
	}
	out := f.method.Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	if err != nil || len(out) == 1 {
		return nil, err
	}
	return out[0].Interface(), nil
}
