package main

// Objects behind an interface that are of no type that both programs have: their methods are lent as functions.

import (
	"fmt"
	"io"
	"math/big"
	"reflect"
	"sort"
	"strings"
	"time"
)

type wavecoderWrapper struct {
	kind reflect.Type
	make func(methods []reflect.Value) reflect.Value
}

type wavecoderReads struct{ read func([]byte) (int, error) }
type wavecoderWrites struct{ write func([]byte) (int, error) }
type wavecoderShows struct{ show func() string }
type wavecoderSorts struct {
	size func() int
	less func(i, j int) bool
	swap func(i, j int)
}

func (w wavecoderReads) Read(to []byte) (int, error)      { return w.read(to) }
func (w wavecoderWrites) Write(from []byte) (int, error)  { return w.write(from) }
func (w wavecoderShows) String() string                   { return w.show() }
func (w wavecoderSorts) Len() int                         { return w.size() }
func (w wavecoderSorts) Less(i, j int) bool               { return w.less(i, j) }
func (w wavecoderSorts) Swap(i, j int)                    { w.swap(i, j) }

var wavecoderWrappers = map[string]wavecoderWrapper{
	"io.Reader": {reflect.TypeOf((*io.Reader)(nil)).Elem(), func(f []reflect.Value) reflect.Value {
		return reflect.ValueOf(wavecoderReads{f[0].Interface().(func([]byte) (int, error))})
	}},
	"io.Writer": {reflect.TypeOf((*io.Writer)(nil)).Elem(), func(f []reflect.Value) reflect.Value {
		return reflect.ValueOf(wavecoderWrites{f[0].Interface().(func([]byte) (int, error))})
	}},
	"fmt.Stringer": {reflect.TypeOf((*fmt.Stringer)(nil)).Elem(), func(f []reflect.Value) reflect.Value {
		return reflect.ValueOf(wavecoderShows{f[0].Interface().(func() string)})
	}},
	"sort.Interface": {reflect.TypeOf((*sort.Interface)(nil)).Elem(), func(f []reflect.Value) reflect.Value {
		return reflect.ValueOf(wavecoderSorts{f[0].Interface().(func() int), f[1].Interface().(func(i, j int) bool), f[2].Interface().(func(i, j int))})
	}},
}

// Types of the library that write themselves down.
var wavecoderCoded = map[reflect.Type]bool{
	reflect.TypeOf(time.Time{}): true, reflect.TypeOf(big.Int{}): true, reflect.TypeOf(big.Rat{}): true, reflect.TypeOf(big.Float{}): true,
}

func wavecoderIsLent(v reflect.Value) bool {
	_, known := wavecoderWrappers[v.Type().String()]
	if !known {
		return false
	}
	t := v.Elem().Type()
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	_, named := wavecoderKinds[t.String()]
	return !named && !wavecoderIsOpaque(t) || strings.HasPrefix(t.Name(), "wavecoder")
}
