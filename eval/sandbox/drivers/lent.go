package main

// Objects behind an interface that are of no type that both programs have: their methods are lent as functions.

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"sort"
	"strings"
	"time"
	"unsafe"
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

// Types of the library that cross as a text: some write themselves down, and what others were told to write is in them.
type wavecoderCode struct {
	put func(pointer interface{}) string
	get func(pointer interface{}, text string)
}

var wavecoderByItself = wavecoderCode{func(pointer interface{}) string {
	text, err := pointer.(interface{ GobEncode() ([]byte, error) }).GobEncode()
	wavecoderLeave(err)
	return string(text)
}, func(pointer interface{}, text string) {
	wavecoderLeave(pointer.(interface{ GobDecode([]byte) error }).GobDecode([]byte(text)))
}}

var wavecoderCoded = map[reflect.Type]wavecoderCode{
	reflect.TypeOf(time.Time{}): wavecoderByItself, reflect.TypeOf(big.Int{}): wavecoderByItself,
	reflect.TypeOf(big.Rat{}): wavecoderByItself, reflect.TypeOf(big.Float{}): wavecoderByItself,
	reflect.TypeOf(bytes.Buffer{}): {func(pointer interface{}) string {
		return string(pointer.(*bytes.Buffer).Bytes())
	}, func(pointer interface{}, text string) {
		*pointer.(*bytes.Buffer) = *bytes.NewBufferString(text)
	}},
	reflect.TypeOf(strings.Builder{}): {func(pointer interface{}) string {
		return pointer.(*strings.Builder).String()
	}, func(pointer interface{}, text string) {
		made := pointer.(*strings.Builder)
		made.Reset()
		made.WriteString(text)
		*(*unsafe.Pointer)(unsafe.Pointer(made)) = nil // where it lies: it is moved from here, and refuses that
	}},
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
