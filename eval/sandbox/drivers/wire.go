package main

// Calls between the tests' process and the candidate's, over descriptor 4. Only plain data crosses: numbers, strings,
// arrays, slices, maps, structs, pointers, errors, what channels hold. Values inside an interface carry the name of their type.

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

const wavecoderGone = 90
const wavecoderAsks = math.MaxUint64 - 1
const wavecoderCallsBack = math.MaxUint64 - 2

var (
	wavecoderPeer   = os.NewFile(4, "peer")
	wavecoderReader = bufio.NewReader(wavecoderPeer)
	wavecoderWriter = bufio.NewWriter(wavecoderPeer)
	wavecoderError  = reflect.TypeOf((*error)(nil)).Elem()
	wavecoderAny    = reflect.TypeOf((*interface{})(nil)).Elem()
	wavecoderKinds  = map[string]reflect.Type{
		"bool": reflect.TypeOf(false), "string": reflect.TypeOf(""), "int": reflect.TypeOf(0),
		"int8": reflect.TypeOf(int8(0)), "int16": reflect.TypeOf(int16(0)), "int32": reflect.TypeOf(int32(0)),
		"int64": reflect.TypeOf(int64(0)), "uint": reflect.TypeOf(uint(0)), "uint8": reflect.TypeOf(uint8(0)),
		"uint16": reflect.TypeOf(uint16(0)), "uint32": reflect.TypeOf(uint32(0)), "uint64": reflect.TypeOf(uint64(0)),
		"float32": reflect.TypeOf(float32(0)), "float64": reflect.TypeOf(float64(0)), "interface {}": wavecoderAny,
	}
)

func wavecoderLeave(err error) {
	if err != nil {
		os.Exit(wavecoderGone)
	}
}

func wavecoderPutNumber(n uint64) {
	var bytes [8]byte
	binary.LittleEndian.PutUint64(bytes[:], n)
	_, err := wavecoderWriter.Write(bytes[:])
	wavecoderLeave(err)
}

func wavecoderGetNumber() uint64 {
	var bytes [8]byte
	_, err := io.ReadFull(wavecoderReader, bytes[:])
	wavecoderLeave(err)
	return binary.LittleEndian.Uint64(bytes[:])
}

func wavecoderPutText(s string) {
	wavecoderPutNumber(uint64(len(s)))
	_, err := wavecoderWriter.WriteString(s)
	wavecoderLeave(err)
}

func wavecoderGetText() string {
	var text strings.Builder
	_, err := io.CopyN(&text, wavecoderReader, int64(wavecoderGetNumber()))
	wavecoderLeave(err)
	return text.String()
}

func wavecoderPut(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			wavecoderPutNumber(1)
		} else {
			wavecoderPutNumber(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		wavecoderPutNumber(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		wavecoderPutNumber(v.Uint())
	case reflect.Float32, reflect.Float64:
		wavecoderPutNumber(math.Float64bits(v.Float()))
	case reflect.String:
		wavecoderPutText(v.String())
	case reflect.Array:
		for n := 0; n < v.Len(); n++ {
			wavecoderPut(v.Index(n))
		}
	case reflect.Slice, reflect.Map:
		wavecoderPutShared(v)
	case reflect.Complex64, reflect.Complex128:
		wavecoderPutNumber(math.Float64bits(real(v.Complex())))
		wavecoderPutNumber(math.Float64bits(imag(v.Complex())))
	case reflect.Func:
		wavecoderPutFunction(v)
	case reflect.Chan:
		wavecoderPutItems(v)
	case reflect.Struct:
		held := reflect.New(v.Type())
		held.Elem().Set(v)
		if wavecoderIsOpaque(v.Type()) {
			wavecoderPutOpaque(held)
		} else if code, ok := wavecoderCoded[v.Type()]; ok {
			wavecoderPutText(code.put(held.Interface()))
		} else {
			for n := 0; n < v.NumField(); n++ {
				wavecoderPut(wavecoderField(held.Elem(), n))
			}
		}
	case reflect.Ptr:
		if wavecoderIsOpaque(v.Type().Elem()) {
			wavecoderPutOpaque(v)
		} else {
			wavecoderPutShared(v)
		}
	case reflect.Interface:
		if v.IsNil() {
			wavecoderPutText("nil")
		} else if err, ok := v.Interface().(error); ok && v.Type() == wavecoderError && !wavecoderKnows(v.Elem().Type()) {
			wavecoderPutError(err)
		} else if v.Type().String() == wavecoderContextName {
			wavecoderPutText(wavecoderContextName)
			wavecoderPutContext(v.Interface().(context.Context))
		} else if wavecoderIsLent(v) {
			wavecoderPutText("lent " + v.Type().String())
			for n := 0; n < v.NumMethod(); n++ {
				wavecoderPut(v.Method(n))
			}
		} else {
			wavecoderPutText(v.Elem().Type().String())
			wavecoderType(v.Elem().Type().String()) // only what the other side knows
			wavecoderPut(v.Elem())
		}
	default:
		panic(fmt.Sprintf("a %s is no plain data", v.Type()))
	}
}

func wavecoderGet(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(wavecoderGetNumber() != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(wavecoderGetNumber()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(wavecoderGetNumber())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.Float64frombits(wavecoderGetNumber()))
	case reflect.String:
		v.SetString(wavecoderGetText())
	case reflect.Array:
		for n := 0; n < v.Len(); n++ {
			v.Index(n).Set(wavecoderGet(t.Elem()))
		}
	case reflect.Slice, reflect.Map:
		v.Set(wavecoderGetShared(t))
	case reflect.Complex64, reflect.Complex128:
		parts := math.Float64frombits(wavecoderGetNumber())
		v.SetComplex(complex(parts, math.Float64frombits(wavecoderGetNumber())))
	case reflect.Func:
		v.Set(wavecoderGetFunction(t))
	case reflect.Chan:
		v.Set(wavecoderGetItems(t))
	case reflect.Struct:
		if wavecoderIsOpaque(t) {
			if of := wavecoderGetOpaque(t); !of.IsNil() {
				v.Set(of.Elem())
			}
		} else if code, ok := wavecoderCoded[t]; ok {
			code.get(v.Addr().Interface(), wavecoderGetText())
		} else {
			for n := 0; n < v.NumField(); n++ {
				wavecoderField(v, n).Set(wavecoderGet(v.Type().Field(n).Type))
			}
		}
	case reflect.Ptr:
		if wavecoderIsOpaque(t.Elem()) {
			v.Set(wavecoderGetOpaque(t.Elem()))
		} else {
			v.Set(wavecoderGetShared(t))
		}
	case reflect.Interface:
		switch name := wavecoderGetText(); name {
		case "nil":
		case wavecoderContextName:
			v.Set(wavecoderGetContext())
		case "error":
			v.Set(reflect.ValueOf(wavecoderGetError()))
		case "yours":
			v.Set(reflect.ValueOf(wavecoderGetOwnError()))
		case "sentinel":
			if known, ok := wavecoderErrors[wavecoderGetText()]; ok {
				v.Set(reflect.ValueOf(known))
			}
		default:
			if made, ok := wavecoderWrappers[strings.TrimPrefix(name, "lent ")]; ok && strings.HasPrefix(name, "lent ") {
				methods := make([]reflect.Value, made.kind.NumMethod())
				for n := range methods {
					methods[n] = wavecoderGet(made.kind.Method(n).Type)
				}
				v.Set(made.make(methods))
			} else {
				v.Set(wavecoderGet(wavecoderType(name)))
			}
		}
	default:
		panic("no plain data: " + t.String())
	}
	return v
}

// A field that may be set, also one whose name begins with a small letter.
func wavecoderField(v reflect.Value, n int) reflect.Value {
	field := v.Field(n)
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

func wavecoderType(name string) reflect.Type {
	if known, ok := wavecoderKinds[name]; ok {
		return known
	}
	if strings.HasPrefix(name, "map[") {
		depth := 0
		for n, character := range name {
			if character == '[' {
				depth++
			} else if character == ']' {
				if depth--; depth == 0 {
					return reflect.MapOf(wavecoderType(name[4:n]), wavecoderType(name[n+1:]))
				}
			}
		}
	}
	if strings.HasPrefix(name, "*") {
		return reflect.PtrTo(wavecoderType(name[1:]))
	}
	if strings.HasPrefix(name, "[]") {
		return reflect.SliceOf(wavecoderType(name[2:]))
	}
	if end := strings.IndexByte(name, ']'); strings.HasPrefix(name, "[") && end > 0 {
		if size, err := strconv.Atoi(name[1:end]); err == nil && size >= 0 && size < 1000000 {
			return reflect.ArrayOf(size, wavecoderType(name[end+1:]))
		}
	}
	panic("no plain data: " + name)
}

// The tests' side: call a function over there; its slices and maps are changed here as they were there.
func wavecoderCall(number int, function reflect.Type, arguments ...interface{}) []reflect.Value {
	if wavecoderServing == 0 { // a function of the tests that the candidate called may call it in turn
		wavecoderOpen.Lock()
		defer wavecoderSendOn()
	}
	wavecoderEnter()
	defer wavecoderExit()
	if wavecoderServing != 0 { // the other side waits for what a function of this side answers
		wavecoderPutNumber(wavecoderCallsBack)
	}
	wavecoderPutNumber(uint64(number))
	for n, argument := range arguments {
		boxed := reflect.New(function.In(n)).Elem()
		if argument != nil {
			boxed.Set(reflect.ValueOf(argument))
		}
		wavecoderPut(boxed)
	}
	wavecoderLeave(wavecoderWriter.Flush())
	return wavecoderReply(function, arguments)
}

// What the other side answers to a call; it may ask for functions of this side's first.
func wavecoderReply(function reflect.Type, arguments []interface{}) []reflect.Value {
	given := wavecoderShared()
	status := wavecoderGetNumber()
	for status == wavecoderAsks || status == wavecoderCallsBack {
		if status == wavecoderAsks {
			wavecoderServeLent()
		} else {
			wavecoderServeNumber(wavecoderGetNumber())
		}
		status = wavecoderGetNumber()
	}
	var panicked interface{}
	results := make([]reflect.Value, function.NumOut())
	if status != 0 {
		panicked, results = wavecoderGetText(), nil
		if status == 2 {
			panicked = errors.New(panicked.(string))
		}
	}
	for n := range results {
		results[n] = wavecoderGet(function.Out(n))
	}
	for n, argument := range arguments {
		switch t := function.In(n); t.Kind() {
		case reflect.Chan:
			if t.ChanDir() != reflect.RecvDir {
				wavecoderSent = append(wavecoderSent, wavecoderPassOn(reflect.ValueOf(argument), wavecoderGet(reflect.ChanOf(reflect.BothDir, t.Elem()))))
			}
		}
	}
	wavecoderRenew(given)
	if panicked != nil {
		panic(panicked)
	}
	return results
}

// The name of a type as both programs write it: those of the candidate are of package main in either.
func wavecoderNameOf(t reflect.Type) string { return strings.ReplaceAll(t.String(), "main.", "") }

// Which of the lists of types that a generic function is there for these are.
func wavecoderPick(names, known []string) int {
	wanted := strings.Join(names, ",")
	for n, each := range known {
		if each == wanted {
			return n
		}
	}
	panic("types that cannot cross: " + wanted)
}

func wavecoderOf[T any](v reflect.Value) (x T) {
	reflect.ValueOf(&x).Elem().Set(v)
	return x
}

// The candidate's side: answer until the tests' process ends.
func wavecoderServe(functions []interface{}) {
	wavecoderFunctions = functions
	for {
		number := wavecoderGetNumber()
		if number == wavecoderAsks {
			wavecoderServeLent()
			continue
		}
		wavecoderServeNumber(number)
	}
}

var wavecoderFunctions []interface{} // the tests' program has none

func wavecoderServeNumber(number uint64) {
	if number >= uint64(len(wavecoderFunctions)) {
		os.Exit(wavecoderGone)
	}
	wavecoderAnswer(reflect.ValueOf(wavecoderFunctions[number]))
	wavecoderLeave(wavecoderWriter.Flush())
}

func wavecoderAnswer(function reflect.Value) {
	wavecoderEnter()
	defer wavecoderExit()
	arguments := make([]reflect.Value, function.Type().NumIn())
	channels := make([]reflect.Value, len(arguments))
	for n := range arguments {
		if t := function.Type().In(n); t.Kind() == reflect.Chan && t.ChanDir() != reflect.RecvDir {
			channels[n] = wavecoderGetItems(t)
			arguments[n] = channels[n].Convert(t)
		} else {
			arguments[n] = wavecoderGet(t)
		}
	}
	given := wavecoderShared()
	results, failure := wavecoderTry(function, arguments)
	if err, ok := failure.(error); ok {
		wavecoderPutNumber(2)
		wavecoderPutText(err.Error())
	} else if failure != nil {
		wavecoderPutNumber(1)
		wavecoderPutText(fmt.Sprint(failure))
	} else {
		wavecoderPutNumber(0)
	}
	for n, result := range results {
		boxed := reflect.New(function.Type().Out(n)).Elem()
		boxed.Set(result)
		wavecoderPut(boxed)
	}
	for n, argument := range arguments {
		if argument.Kind() == reflect.Chan && argument.Type().ChanDir() != reflect.RecvDir {
			wavecoderPutItems(channels[n])
		}
	}
	wavecoderPutContents(given)
}

func wavecoderTry(function reflect.Value, arguments []reflect.Value) (results []reflect.Value, failure interface{}) {
	defer func() { failure = recover() }()
	if function.Type().IsVariadic() {
		return function.CallSlice(arguments), nil
	}
	return function.Call(arguments), nil
}
