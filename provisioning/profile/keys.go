package profile

import (
	"reflect"
	"sync"
)

// Keys lists the names of all tables and keys, in the order of the guide:
// "site", "site.id" …; those of lists of tables without a number.
var Keys = sync.OnceValue(func() []string {
	var keys []string
	var add func(t reflect.Type, path string)
	add = func(t reflect.Type, path string) {
		for _, f := range fieldsOf(t) {
			at := join(path, f.key)
			keys = append(keys, at)
			kind := t.Field(f.index).Type
			if kind.Kind() == reflect.Slice {
				kind = kind.Elem()
			}
			if kind.Kind() == reflect.Struct {
				add(kind, at)
			}
		}
	}
	add(reflect.TypeFor[Profile](), "")
	return keys
})
