package api

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gofish/internal/proto"
)

const facts = "../../testdata/facts/"

type factAction struct {
	Name  string
	Proc  uint32
	Since string
	Ret   struct {
		Type string
		Of   []string
	}
	Args, Opt  []string
	Group      string
	Alias      []string
	Deprecated any
	Visibility string
	ConfigOnly bool `json:"config_only"`
	OnceNoOpts bool `json:"once_had_no_optargs"`
	Output     string
}

func readFacts[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(facts + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var l []T
	for dec := json.NewDecoder(f); dec.More(); {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		l = append(l, v)
	}
	return l
}

var kindNames = map[Kind]string{
	KString: "String<PlainString>", KDevice: "String<Device>", KPathname: "String<Pathname>", KMountable: "String<Mountable>",
	KDevOrPath: "String<Dev_or_Path>", KMountableOrPath: "String<Mountable_or_Path>", KFilename: "String<Filename>",
	KGUID: "String<GUID>", KKey: "String<Key>", KOptString: "OptString", KBuffer: "BufferIn", KFileIn: "String<FileIn>",
	KFileOut: "String<FileOut>", KBool: "Bool", KInt: "Int", KInt64: "Int64", KStringList: "StringList<PlainString>",
	KDeviceList: "StringList<Device>", KPathnameList: "StringList<Pathname>", KFilenameList: "StringList<Filename>",
}

var optNames = map[Kind]string{KBool: "OBool", KInt: "OInt", KInt64: "OInt64", KString: "OString", KStringList: "OStringList"}

// ownProcedures is where the numbers of gofish's own procedures begin.
const ownProcedures = 0x10000

// olderOnly are procedures that libguestfs 1.48 has and the table of facts, made
// from a newer release, has not.
var olderOnly = map[string]uint32{"internal_readdir_list": 138}

// ownOptions are optional arguments of gofish's own. Only actions that are not sent to a
// daemon can have them.
var ownOptions = map[string]string{"copy_out": "privileged:OBool"}

func TestCatalogueAgreesWithFacts(t *testing.T) {
	byName := map[string]factAction{}
	for _, f := range readFacts[factAction](t, "actions.jsonl") {
		byName[f.Name] = f
	}
	params := func(ps Args, names map[Kind]string) string {
		l := []string{}
		for _, p := range ps {
			l = append(l, p.Name+":"+names[p.Kind])
		}
		return strings.Join(l, " ")
	}
	elem := func(e Elem) string { return [...]string{"RPlainString", "RDevice", "RMountable"}[e] }
	for _, a := range All.Actions() {
		if proc, ok := olderOnly[a.Name]; ok {
			if a.Proc != proc {
				t.Errorf("%s has procedure %d, want %d", a.Name, a.Proc, proc)
			}
			continue
		}
		if a.Proc >= ownProcedures {
			continue
		}
		f, ok := byName[a.Name]
		if !ok {
			t.Errorf("%s is no action of libguestfs", a.Name)
			continue
		}
		if own := ownOptions[a.Name]; own != "" {
			if a.Proc != 0 {
				t.Errorf("%s goes to a daemon, which knows only the options of libguestfs", a.Name)
			}
			f.Opt = append(f.Opt, own)
		}
		r := a.Ret
		kinds := [...]string{"RErr", "RInt", "RInt64", "RBool", "RConstString", "RConstOptString", "RString", "RStringList", "RHashtable", "RStruct", "RStructList", "RBufferOut"}
		var of []string
		switch r.Kind {
		case RErr:
		case RString, RStringList:
			of = []string{elem(r.Elem), r.Name}
		case RHashtable:
			of = []string{elem(r.Elem), elem(r.Value), r.Name}
		case RStruct, RStructList:
			of = []string{r.Name, r.Struct}
		default:
			of = []string{r.Name}
		}
		deprecated := ""
		if s, ok := f.Deprecated.(string); ok {
			deprecated = s
		} else if f.Deprecated == true {
			deprecated = "true"
		}
		visibility := [...]string{"", "PublicNoFish", "StateTest", "Debug", "Internal"}[a.Visibility]
		format := [...]string{"", "octal", "hexadecimal"}[r.Format]
		got := fmt.Sprint(a.Proc, a.Since, kinds[r.Kind], of, params(a.Args, kindNames), params(a.Opts, optNames), a.Group, a.Aliases, a.Deprecated, visibility, a.ConfigOnly, a.OldOpts, format)
		want := fmt.Sprint(f.Proc, f.Since, f.Ret.Type, f.Ret.Of, strings.Join(f.Args, " "), strings.Join(f.Opt, " "), f.Group, f.Alias, deprecated, f.Visibility, f.ConfigOnly, f.OnceNoOpts, f.Output)
		if got != want {
			t.Errorf("%s is\n\t%s\nwant\n\t%s", a.Name, got, want)
		}
	}
}

func TestStructsAgreeWithFacts(t *testing.T) {
	kinds := map[reflect.Type]string{
		reflect.TypeFor[string](): "FString", reflect.TypeFor[DeviceField](): "FDevice", reflect.TypeFor[[]byte](): "FBuffer",
		reflect.TypeFor[UUID](): "FUUID", reflect.TypeFor[Char](): "FChar", reflect.TypeFor[int32](): "FInt32",
		reflect.TypeFor[uint32](): "FUInt32", reflect.TypeFor[int64](): "FInt64", reflect.TypeFor[ByteCount](): "FBytes",
		reflect.TypeFor[uint64](): "FUInt64", reflect.TypeFor[OptPercent](): "FOptPercent",
	}
	if len(kinds) != len(fieldKinds) {
		t.Errorf("there are %d kinds of fields, %d are facts", len(fieldKinds), len(kinds))
	}
	n := 0
	for _, f := range readFacts[struct {
		Name   string
		Fields []string
	}](t, "structs.jsonl") {
		n++
		typ := StructType(f.Name)
		if typ == nil {
			t.Errorf("struct %s is missing", f.Name)
			continue
		}
		var got []string
		for i := range typ.NumField() {
			kind := kinds[typ.Field(i).Type]
			if kind == "FDevice" && i < len(f.Fields) && strings.HasSuffix(f.Fields[i], ":FString") {
				kind = "FString" // libguestfs leaves the name in it as it is, and the wire is the same
			}
			got = append(got, typ.Field(i).Tag.Get("xdr")+":"+kind)
		}
		if !reflect.DeepEqual(got, f.Fields) {
			t.Errorf("struct %s has %v, want %v", f.Name, got, f.Fields)
		}
	}
	const own = 1 // internal_node, which libguestfs does not have
	if n+own != len(structTypes) {
		t.Errorf("%d structs are declared, %d are facts and %d our own", len(structTypes), n, own)
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	for _, a := range All.Actions() {
		if a.Summary == "" || strings.HasSuffix(a.Summary, ".") || strings.Contains(a.Summary, "\n") {
			t.Errorf("%s: the summary must be one line without a full stop, not %q", a.Name, a.Summary)
		}
		if !strings.HasSuffix(strings.TrimSpace(a.Help), ".") {
			t.Errorf("%s: the help text must end with a full stop", a.Name)
		}
		for _, p := range append(a.Args[:len(a.Args):len(a.Args)], a.Opts...) {
			if a.Visibility != Internal && !strings.Contains(a.Help, "{"+p.Name+"}") {
				t.Errorf("%s: the help text does not say what {%s} is", a.Name, p.Name)
			}
		}
	}
}

// frame is a message of a capture, with the comment above it.
type frame struct {
	comment string
	bytes   []byte
}

func readVectors(t *testing.T, name string) []frame {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var frames []frame
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		line := s.Text()
		if strings.HasPrefix(line, "#") {
			frames = append(frames, frame{comment: line})
			continue
		}
		x, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		last := &frames[len(frames)-1]
		last.bytes = append(last.bytes, x...)
	}
	return frames
}

// Every captured call and reply of an action in the catalogue is decoded and
// encoded again, and must come out the same to the bit.
func TestVectors(t *testing.T) {
	files, _ := filepath.Glob(facts + "vectors/*.hex")
	if len(files) == 0 {
		t.Fatal("no vectors")
	}
	checked := map[string]bool{}
	for _, name := range files {
		for _, f := range readVectors(t, name) {
			if len(f.bytes) < 4+proto.HeaderSize {
				continue
			}
			msg := f.bytes[4:]
			d := proto.NewDecoder(msg)
			var h proto.Header
			h.Decode(d)
			a := All.ByProc(h.Proc)
			if a == nil || h.Prog != proto.Program {
				continue
			}
			e := &proto.Encoder{}
			switch {
			case h.Direction == proto.DirectionCall:
				args, opts, err := a.DecodeArgs(d, h.OptMask)
				if err != nil {
					t.Errorf("%s: %s: %v", name, f.comment, err)
					continue
				}
				body := &proto.Encoder{}
				mask, err := a.EncodeArgs(body, args, opts)
				if err != nil {
					t.Errorf("%s: %s: %v", name, f.comment, err)
					continue
				}
				head := proto.CallHeader(h.Proc, h.Serial, h.ProgressHint, mask)
				head.Encode(e)
				e.Buf = append(e.Buf, body.Buf...)
			case h.Status == proto.StatusError:
				var b proto.ErrorBody
				b.Decode(d)
				head := proto.ReplyHeader(h.Proc, h.Serial, proto.StatusError)
				head.Encode(e)
				b.Encode(e)
			default:
				v, err := a.DecodeRet(d)
				if err != nil {
					t.Errorf("%s: %s: %v", name, f.comment, err)
					continue
				}
				head := proto.ReplyHeader(h.Proc, h.Serial, proto.StatusOK)
				head.Encode(e)
				if err := a.EncodeRet(e, v); err != nil {
					t.Errorf("%s: %s: %v", name, f.comment, err)
				}
			}
			checked[filepath.Base(name)] = true
			if !bytes.Equal(e.Buf, msg) {
				t.Errorf("%s: %s:\n%x became\n%x", name, f.comment, msg, e.Buf)
			}
		}
	}
	if len(checked) < len(files)-2 {
		t.Errorf("only %d of %d files had a message to check: %v", len(checked), len(files), checked)
	}
}

// An older client sends fewer optional arguments.
func TestMissingTrailingOptions(t *testing.T) {
	a := All.Lookup("e2fsck")
	e := &proto.Encoder{}
	e.String("/dev/sda")
	e.Bool(true)
	e.Bool(false) // and no forceno
	args, opts, err := a.DecodeArgs(proto.NewDecoder(e.Buf), 1)
	if err != nil || args[0] != "/dev/sda" || opts[0] != true || opts[1] != nil || opts[2] != nil {
		t.Errorf("got %v, %v, %v", args, opts, err)
	}
}

func FuzzDecodeArgs(f *testing.F) {
	f.Add(uint32(278), uint64(0x13), []byte("\x00\x00\x00\x04ext4"))
	f.Fuzz(func(t *testing.T, proc uint32, mask uint64, b []byte) {
		if a := All.ByProc(proc); a != nil {
			a.DecodeArgs(proto.NewDecoder(b), mask)
			a.DecodeRet(proto.NewDecoder(b))
		}
	})
}
