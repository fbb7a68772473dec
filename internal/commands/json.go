package commands

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"
	"unicode/utf8"

	"gofish/internal/api"
	"gofish/internal/handle"
	"gofish/internal/newfile"
	"gofish/internal/proto"
	"gofish/internal/visible"
)

// With --json each command writes one value on one line of standard output, and
// each error one object on a line of standard error. WriteSchema says what to
// expect of which command.

// jsonValue turns a result into what encoding/json writes. Order is kept, and
// 64-bit numbers are exact. Bytes, and text that is not UTF-8, are objects with
// their base64.
func jsonValue(r api.Ret, v any) any {
	switch r.Kind {
	case api.RErr:
		return nil
	case api.RConstOptString:
		if p := v.(*string); p != nil {
			return jsonText(*p)
		}
		return nil
	case api.RStringList:
		l := make([]any, 0, len(v.([]string)))
		for _, s := range v.([]string) {
			l = append(l, jsonText(s))
		}
		return l
	case api.RHashtable:
		o := object{}
		for _, p := range v.(api.Hash) {
			o = append(o, member{p.Key, jsonText(p.Value)})
		}
		return o
	case api.RStruct:
		return jsonStruct(v)
	case api.RStructList:
		rv := reflect.ValueOf(v)
		l := make([]any, rv.Len())
		for i := range l {
			l[i] = jsonStruct(rv.Index(i).Interface())
		}
		return l
	case api.RBufferOut:
		return jsonBytes(v.([]byte))
	}
	if s, ok := v.(string); ok {
		return jsonText(s)
	}
	return v
}

func jsonStruct(v any) object {
	var o object
	for name, value := range api.FieldValues(v) {
		field, _ := jsonField(value)
		o = append(o, member{name, field})
	}
	return o
}

var (
	integerSchema = object{{"type", "integer"}}
	percentSchema = object{{"type", []any{"number", "null"}}}
	textSchema    = object{{"$ref", "#/$defs/text"}}
	bytesSchema   = object{{"$ref", "#/$defs/bytes"}}
)

// jsonField is a field of a struct as JSON, and what the schema says of such fields.
func jsonField(v any) (value any, schema object) {
	switch v := v.(type) {
	case string:
		return jsonText(v), textSchema
	case api.DeviceField:
		return jsonText(string(v)), textSchema
	case api.UUID, api.Char:
		return jsonText(fmt.Sprint(v)), textSchema
	case []byte:
		return jsonBytes(v), bytesSchema
	case api.ByteCount:
		return uint64(v), integerSchema
	case api.OptPercent:
		if v < 0 {
			return nil, percentSchema
		}
		return float64(v), percentSchema
	}
	return v, integerSchema
}

func jsonText(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return jsonBytes([]byte(s))
}

func jsonBytes(b []byte) any {
	return object{{"base64", base64.StdEncoding.EncodeToString(b)}}
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(&b, strings.ToValidUTF8(m.name, "\uFFFD"))
		b.WriteByte(':')
		if err := writeJSON(&b, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// writeJSON writes a value without a newline, and leaves <, > and & as they are.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return err
}

// printJSON writes one result as one line.
func printJSON(w io.Writer, v any) {
	writeJSON(w, v)
	io.WriteString(w, "\n")
}

// captured runs a command of the shell itself and writes what it prints as one
// value: its text, or null.
func (s *Shell) captured(f func() error) error {
	file, err := newfile.Anonymous(os.TempDir())
	if err != nil {
		return s.errorf("make a temporary file in %s: %v", os.TempDir(), cause(err))
	}
	defer file.Close()
	w, err := dupFile(file)
	if err != nil {
		return s.errorf("%v", cause(err))
	}
	s.out.Flush()
	restore, err := s.divert(w)
	if err != nil {
		w.Close()
		return s.errorf("%v", cause(err))
	}
	err = f()
	s.out.Flush()
	restore()
	w.Close()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err != nil {
		return s.errorf("%v", cause(err))
	}
	if len(text) == 0 {
		printJSON(s.out, nil)
	} else {
		printJSON(s.out, jsonText(strings.TrimSuffix(string(text), "\n")))
	}
	return nil
}

// sayJSON writes an error as one object on one line of standard error.
func (s *Shell) sayJSON(err error, placed bool) {
	text := s.prog.errorText(err)
	if len(text) > visible.Most {
		text = visible.Lines(text)
	}
	o := object{{"error", text}}
	var call *handle.CallError
	if errors.As(err, &call) {
		if call.Action != "" {
			o = append(o, member{"action", call.Action})
		}
		if call.Errno != 0 {
			o = append(o, member{"errno", proto.ErrnoName(call.Errno)})
		}
	}
	if placed && s.place() != "" {
		o = append(o, member{"file", s.file}, member{"line", s.lineno})
	}
	printJSON(s.prog.Stderr, o)
}

// jsonSchema is the shape of a result, as JSON Schema (json-schema.org, 2020-12).
func jsonSchema(r api.Ret) object {
	typ := func(t string) object { return object{{"type", t}} }
	ref := func(name string) object { return object{{"$ref", "#/$defs/" + name}} }
	list := func(of object) object { return object{{"type", "array"}, {"items", of}} }
	switch r.Kind {
	case api.RErr:
		return typ("null")
	case api.RInt, api.RInt64:
		return typ("integer")
	case api.RBool:
		return typ("boolean")
	case api.RConstOptString:
		return object{{"anyOf", []any{ref("text"), typ("null")}}}
	case api.RStringList:
		return list(ref("text"))
	case api.RHashtable:
		return object{{"type", "object"}, {"additionalProperties", ref("text")}}
	case api.RStruct:
		return ref(r.Struct)
	case api.RStructList:
		return list(ref(r.Struct))
	case api.RBufferOut:
		return ref("bytes")
	}
	return ref("text")
}

// WriteSchema writes what --json makes of each command's result, as one JSON
// Schema with a definition for each action under its name in the shell.
func WriteSchema(w io.Writer) error {
	defs := object{
		{"bytes", object{{"description", "bytes, as base64"}, {"type", "object"}, {"properties", object{{"base64", object{{"type", "string"}}}}}, {"required", []any{"base64"}}}},
		{"text", object{{"description", "text; as bytes if it is not UTF-8"}, {"anyOf", []any{object{{"type", "string"}}, object{{"$ref", "#/$defs/bytes"}}}}}},
		{"error", object{{"description", "what goes to standard error"}, {"type", "object"}, {"properties", object{
			{"error", object{{"type", "string"}}}, {"action", object{{"type", "string"}}}, {"errno", object{{"type", "string"}}},
			{"file", object{{"type", "string"}}}, {"line", object{{"type", "integer"}}},
		}}, {"required", []any{"error"}}}},
	}
	used := map[string]bool{}
	commands := object{}
	for _, a := range api.All.Actions() {
		if a.Visibility == api.Internal {
			continue
		}
		commands = append(commands, member{a.Dashed(), jsonSchema(a.Ret)})
		if a.Ret.Struct != "" {
			used[a.Ret.Struct] = true
		}
	}
	structs := make([]string, 0, len(used))
	for name := range used {
		structs = append(structs, name)
	}
	sort.Strings(structs)
	for _, name := range structs {
		var fields object
		required := []any{}
		for field, value := range api.FieldValues(reflect.Zero(api.StructType(name)).Interface()) {
			_, schema := jsonField(value)
			fields = append(fields, member{field, schema})
			required = append(required, field)
		}
		defs = append(defs, member{name, object{{"type", "object"}, {"properties", fields}, {"required", required}}})
	}
	b, err := json.MarshalIndent(object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "results of gofish --json, by command"},
		{"description", "A command of the shell itself, such as help, gives the text that it prints, or null."},
		{"$defs", defs},
		{"properties", commands},
	}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
