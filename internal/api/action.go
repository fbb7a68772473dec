package api

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Kind is the kind of a parameter.
type Kind uint8

const (
	KString          Kind = iota // any text
	KDevice                      // block device in the appliance
	KPathname                    // absolute path in the mounted guest
	KMountable                   // device or btrfsvol:DEVICE/SUBVOL
	KDevOrPath                   // device or absolute path
	KMountableOrPath             // mountable or absolute path
	KFilename                    // one name, without a slash
	KGUID                        // 8-4-4-4-12 hexadecimal digits
	KKey                         // passphrase or key, never echoed
	KOptString                   // text or null
	KBuffer                      // bytes
	KFileIn                      // host file that is sent to the daemon
	KFileOut                     // host file that the daemon's data is written to
	KBool                        // truth value
	KInt                         // 32-bit integer
	KInt64                       // 64-bit integer
	KStringList                  // list of any text
	KDeviceList                  // list of devices
	KPathnameList                // list of absolute paths
	KFilenameList                // list of names
	KPointer                     // pointer of the C interface; no value here
)

// IsList reports whether values of the kind are lists of strings.
func (k Kind) IsList() bool { return k >= KStringList && k <= KFilenameList }

// IsFile reports whether the value is a stream that accompanies the arguments.
func (k Kind) IsFile() bool { return k == KFileIn || k == KFileOut }

// Unit is what a number counts.
type Unit uint8

const (
	NoUnit      Unit = iota
	Bytes            // bytes
	KiB              // 1024 bytes
	MiB              // 1024 × 1024 bytes
	Sectors          // device sectors
	Sectors512       // sectors of 512 bytes
	Blocks           // file system blocks
	Percent          // 0 to 100
	Octal            // permission bits, conventionally written in octal
	Seconds          // seconds
	Nanoseconds      // nanoseconds
)

// unitTexts name the units for people; unitSizes are their bytes, 0 for a unit that
// is not an amount of data, or not one that is known in advance.
var (
	unitTexts = map[Unit]string{
		Bytes: "bytes", KiB: "kibibytes (1024 bytes)", MiB: "mebibytes (1048576 bytes)", Sectors: "the device's sectors",
		Sectors512: "sectors of 512 bytes", Blocks: "blocks of the file system", Percent: "percent",
		Octal: "permission bits", Seconds: "seconds", Nanoseconds: "nanoseconds",
	}
	unitSizes = map[Unit]int64{Bytes: 1, KiB: 1 << 10, MiB: 1 << 20, Sectors512: 512}
)

func (u Unit) String() string { return unitTexts[u] }

// Size is how many bytes one of the unit is; 0 if that is not known.
func (u Unit) Size() int64 { return unitSizes[u] }

// Param is one parameter of an action.
type Param struct {
	Name string
	Kind Kind
	Unit Unit
}

type Args []Param

// RetKind is the kind of a result.
type RetKind uint8

const (
	RErr RetKind = iota // nothing
	RInt
	RInt64
	RBool
	RConstString    // string, never null
	RConstOptString // string or null
	RString
	RStringList
	RHashtable
	RStruct
	RStructList
	RBufferOut
)

// Elem says what the strings of a result are, for device name translation.
type Elem uint8

const (
	Plain Elem = iota
	DeviceName
	MountableName
)

// Format is the base in which an integer result prints.
type Format uint8

const (
	Decimal Format = iota
	OctalFormat
	HexFormat
)

// Ret is the result of an action.
type Ret struct {
	Kind   RetKind
	Name   string
	Elem   Elem // of the string, the list's elements or the table's keys
	Value  Elem // of the table's values
	Struct string
	Format Format
}

// Visibility says who may call an action.
type Visibility uint8

const (
	Public Visibility = iota
	NoFish            // API only, the shell has its own command of the name
	StateTest
	Debug
	Internal // only between handle and daemon
)

// Action is one row of the catalogue.
type Action struct {
	Name       string
	Proc       uint32 // 0: done by the handle
	Since      string
	Args       Args
	Opts       Args // optional arguments, in the order of their mask bits
	Ret        Ret
	Group      string // optional feature group that must be available
	Library    string // C library that does it, in a separate process: see package library
	Aliases    []string
	Deprecated string // what to use instead, "true" if nothing
	Visibility Visibility
	ConfigOnly bool // only before launch
	Progress   bool // reports progress
	Cancel     bool // can be cancelled
	Limited    bool // cannot pass more than about 4 MB
	Immediate  bool // done while another call runs, without waiting for it
	Bulk       bool // the received data is the file or device of the first argument
	Whole      bool // its result is a copy of files, and none may be missing
	Rests      bool // may wait a long time for something other than the guest's own work
	OldOpts    bool // once had no optional arguments; NAME_opts is the same action
	Summary    string
	Help       string
}

// Dashed is the action's name as the shell writes it.
func (a *Action) Dashed() string { return strings.ReplaceAll(a.Name, "_", "-") }

// Replaced reports whether the action is deprecated and another one should be used instead.
func (a *Action) Replaced() bool {
	other := All.Lookup(strings.ReplaceAll(a.Deprecated, "-", "_"))
	return other != nil && other.Visibility != Internal
}

// NeedsRoot reports whether a parameter can only be a path of the guest.
func (a *Action) NeedsRoot() bool {
	return slices.ContainsFunc(a.Args, func(p Param) bool { return p.Kind == KPathname || p.Kind == KPathnameList })
}

// Camel is the name of the method that does the action.
func (a *Action) Camel() string {
	var b strings.Builder
	for _, w := range strings.Split(a.Name, "_") {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// FileParam returns the index of the file parameter of kind k, or -1.
func (a *Action) FileParam(k Kind) int {
	for i, p := range a.Args {
		if p.Kind == k {
			return i
		}
	}
	return -1
}

// Catalogue is the set of all actions.
type Catalogue struct {
	actions []*Action // by name
	byName  map[string]*Action
	byProc  map[uint32]*Action
}

// All is the one catalogue of the program.
var All = newCatalogue(tables())

func newCatalogue(tables [][]Action) *Catalogue {
	c := &Catalogue{byName: map[string]*Action{}, byProc: map[uint32]*Action{}}
	for _, t := range tables {
		for i := range t {
			a := &t[i]
			if c.byName[a.Name] != nil {
				panic("api: action " + a.Name + " is declared twice")
			}
			c.byName[a.Name] = a
			if a.Proc != 0 {
				if c.byProc[a.Proc] != nil {
					panic(fmt.Sprintf("api: procedure %d is declared twice", a.Proc))
				}
				c.byProc[a.Proc] = a
			}
			if a.Ret.Struct != "" && StructType(a.Ret.Struct) == nil {
				panic("api: action " + a.Name + " returns unknown struct " + a.Ret.Struct)
			}
			if len(a.Opts) > 63 {
				panic("api: action " + a.Name + " has too many optional arguments")
			}
			c.actions = append(c.actions, a)
		}
	}
	sort.Slice(c.actions, func(i, j int) bool { return c.actions[i].Name < c.actions[j].Name })
	return c
}

// Actions lists every action, sorted by name.
func (c *Catalogue) Actions() []*Action { return c.actions }

// Lookup finds an action by its API name (with underscores).
func (c *Catalogue) Lookup(name string) *Action { return c.byName[name] }

// ByProc finds a daemon action by its procedure number.
func (c *Catalogue) ByProc(proc uint32) *Action { return c.byProc[proc] }

// Constructors, so that a row reads like a signature.

func String(name string) Param          { return Param{Name: name, Kind: KString} }
func Device(name string) Param          { return Param{Name: name, Kind: KDevice} }
func Path(name string) Param            { return Param{Name: name, Kind: KPathname} }
func Mountable(name string) Param       { return Param{Name: name, Kind: KMountable} }
func DevOrPath(name string) Param       { return Param{Name: name, Kind: KDevOrPath} }
func MountableOrPath(name string) Param { return Param{Name: name, Kind: KMountableOrPath} }
func Filename(name string) Param        { return Param{Name: name, Kind: KFilename} }
func GUID(name string) Param            { return Param{Name: name, Kind: KGUID} }
func Key(name string) Param             { return Param{Name: name, Kind: KKey} }
func OptString(name string) Param       { return Param{Name: name, Kind: KOptString} }
func Buffer(name string) Param          { return Param{Name: name, Kind: KBuffer} }
func FileIn(name string) Param          { return Param{Name: name, Kind: KFileIn} }
func FileOut(name string) Param         { return Param{Name: name, Kind: KFileOut} }
func Bool(name string) Param            { return Param{Name: name, Kind: KBool} }
func Strings(name string) Param         { return Param{Name: name, Kind: KStringList} }
func Devices(name string) Param         { return Param{Name: name, Kind: KDeviceList} }
func Paths(name string) Param           { return Param{Name: name, Kind: KPathnameList} }
func Filenames(name string) Param       { return Param{Name: name, Kind: KFilenameList} }
func Pointer(name string) Param         { return Param{Name: name, Kind: KPointer} }

func Int(name string, unit ...Unit) Param   { return number(name, KInt, unit) }
func Int64(name string, unit ...Unit) Param { return number(name, KInt64, unit) }

func number(name string, k Kind, unit []Unit) Param {
	p := Param{Name: name, Kind: k}
	if len(unit) > 0 {
		p.Unit = unit[0]
	}
	return p
}

// Err is the result of an action that only succeeds or fails.
var Err = Ret{}

func RetInt(name string, f ...Format) Ret   { return integer(name, RInt, f) }
func RetInt64(name string, f ...Format) Ret { return integer(name, RInt64, f) }

func integer(name string, k RetKind, f []Format) Ret {
	r := Ret{Kind: k, Name: name}
	if len(f) > 0 {
		r.Format = f[0]
	}
	return r
}

func RetBool(name string) Ret           { return Ret{Kind: RBool, Name: name} }
func RetConstString(name string) Ret    { return Ret{Kind: RConstString, Name: name} }
func RetConstOptString(name string) Ret { return Ret{Kind: RConstOptString, Name: name} }
func RetString(name string) Ret         { return Ret{Kind: RString, Name: name} }
func RetDevice(name string) Ret         { return Ret{Kind: RString, Name: name, Elem: DeviceName} }
func RetMountable(name string) Ret      { return Ret{Kind: RString, Name: name, Elem: MountableName} }
func RetStrings(name string) Ret        { return Ret{Kind: RStringList, Name: name} }
func RetDevices(name string) Ret        { return Ret{Kind: RStringList, Name: name, Elem: DeviceName} }
func RetMountables(name string) Ret {
	return Ret{Kind: RStringList, Name: name, Elem: MountableName}
}
func RetHash(name string, key, value Elem) Ret {
	return Ret{Kind: RHashtable, Name: name, Elem: key, Value: value}
}
func RetStruct(name, typ string) Ret  { return Ret{Kind: RStruct, Name: name, Struct: typ} }
func RetStructs(name, typ string) Ret { return Ret{Kind: RStructList, Name: name, Struct: typ} }
func RetBuffer(name string) Ret       { return Ret{Kind: RBufferOut, Name: name} }
