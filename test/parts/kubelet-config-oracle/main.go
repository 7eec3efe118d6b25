// Says whether a kubelet of one minor version would read a KubeletConfiguration file.
// It is built once per minor, each time against that minor's own k8s.io/kubelet and k8s.io/apimachinery.
//
//	oracle-1.18 FILE       exit 0, or 1 and the reason on stderr; unknown and duplicate fields are errors
//	oracle-1.18 --fields   one JSON object {path: type} of every field that this minor knows
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/kubelet/config/v1beta1"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: oracle FILE | --fields")
		os.Exit(2)
	}
	if os.Args[1] == "--fields" {
		fields := map[string]string{}
		addFields(fields, "", reflect.TypeOf(v1beta1.KubeletConfiguration{}))
		text, _ := json.MarshalIndent(fields, "", "  ") // sorts the keys
		fmt.Println(string(text))
		return
	}
	if err := read(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The kubelet's own strict reader. Unlike sigs.k8s.io/yaml it does not turn a number into a string where a string is
// wanted, and unlike encoding/json it tells maxPods from maxpods.
func read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := v1beta1.AddToScheme(scheme); err != nil {
		return err
	}
	strict := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme,
		serializer.SerializerOptions{Yaml: true, Strict: true})
	object, _, err := strict.Decode(text, nil, nil)
	if err != nil {
		return err
	}
	if _, ok := object.(*v1beta1.KubeletConfiguration); !ok {
		return fmt.Errorf("not a KubeletConfiguration: %T", object)
	}
	return nil
}

// A field of a field has its path joined by dots; a field of a list's element has [] after the list's name.
func addFields(fields map[string]string, prefix string, structure reflect.Type) {
	for i := 0; i < structure.NumField(); i++ {
		field := structure.Field(i)
		name := strings.Split(field.Tag.Get("json"), ",")[0]
		if name == "-" || field.PkgPath != "" {
			continue
		}
		if name == "" && field.Anonymous {
			addFields(fields, prefix, field.Type)
			continue
		}
		path := prefix + name
		fields[path] = typeName(field.Type)
		nested, step := indirect(field.Type), "."
		for nested.Kind() == reflect.Slice {
			nested, step = indirect(nested.Elem()), "[]"+step
		}
		if typeName(nested) == "object" {
			addFields(fields, path+step, nested)
		}
	}
}

// A type with its own UnmarshalJSON is one value in the file, whatever fields it has: duration, time, quantity.
func typeName(t reflect.Type) string {
	t = indirect(t)
	if reflect.PointerTo(t).Implements(reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()) {
		return strings.TrimSuffix(strings.ToLower(t.Name()), "value")
	}
	switch t.Kind() {
	case reflect.Struct:
		return "object"
	case reflect.Slice:
		return "[]" + typeName(t.Elem())
	case reflect.Map:
		return "map[" + typeName(t.Key()) + "]" + typeName(t.Elem())
	}
	return t.Kind().String()
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
