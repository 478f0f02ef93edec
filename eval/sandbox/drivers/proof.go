package main

// Tests that are data: each call is made twice, and a letter is written for each.

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

func wcNumber(v reflect.Value) (float64, bool) {
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(v.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return float64(v.Uint()), true
	case reflect.Float32, reflect.Float64:
		return v.Float(), true
	}
	return 0, false
}

func wcWhole(v reflect.Value) (string, bool) {
	if _, ok := wcNumber(v); !ok || v.Kind() == reflect.Float32 || v.Kind() == reflect.Float64 {
		return "", false
	}
	if v.CanInt() {
		return fmt.Sprint(v.Int()), true
	}
	return fmt.Sprint(v.Uint()), true
}

func wcPointer[T any](x T) *T { return &x }

func wcSame(a, b reflect.Value) bool {
	for a.IsValid() && a.Kind() == reflect.Interface {
		a = a.Elem()
	}
	for b.IsValid() && b.Kind() == reflect.Interface {
		b = b.Elem()
	}
	for a.IsValid() && b.IsValid() && a.Kind() == reflect.Ptr && b.Kind() == reflect.Ptr {
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		a, b = a.Elem(), b.Elem()
	}
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	isFloat := func(v reflect.Value) bool { return v.Kind() == reflect.Float32 || v.Kind() == reflect.Float64 }
	if a.Kind() != b.Kind() || isFloat(a) {
		x, ok := wcNumber(a)
		y, both := wcNumber(b)
		if ok && both {
			share := 1e-9
			if a.Kind() == reflect.Float32 {
				share = 1e-6
			}
			if share == 1e-9 && math.Trunc(x) == x && math.Trunc(y) == y && math.Abs(y) < 1<<53 {
				return x == y
			}
			return x == y || math.Abs(x-y) <= math.Max(1e-12, share*math.Abs(y))
		}
	}
	isList := func(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }
	if isList(a) && isList(b) {
		if a.Len() != b.Len() {
			return false
		}
		for i := 0; i < b.Len(); i++ {
			if !wcSame(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	if a.Kind() != b.Kind() {
		return false
	}
	if b.Kind() == reflect.Map {
		if a.Len() != b.Len() || !b.Type().Key().AssignableTo(a.Type().Key()) {
			return false
		}
		for _, key := range b.MapKeys() {
			if x := a.MapIndex(key); !x.IsValid() || !wcSame(x, b.MapIndex(key)) {
				return false
			}
		}
		return true
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.Type() != b.Type() {
			return false
		}
		for i := 0; i < a.NumField(); i++ {
			if !wcSame(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.String:
		return a.String() == b.String()
	case reflect.Bool:
		return a.Bool() == b.Bool()
	}
	if x, ok := wcWhole(a); ok {
		y, both := wcWhole(b)
		return both && x == y
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func wcNoError(err error) {
	if err != nil {
		panic(err.Error())
	}
}

var wcMoved bool

func wcKept(same bool) { wcMoved = wcMoved || !same }

func wcRun(place int, test func() bool) {
	letter := "E"
	wcMoved = false
	defer func() {
		if raised := recover(); raised != nil {
			fmt.Fprintf(os.Stdout, "\nWAVECODER_MARK ! %.120s\n", strings.Join(strings.Fields("panic: "+fmt.Sprint(raised)), " "))
		}
		fmt.Fprintf(os.Stdout, "\nWAVECODER_MARK %d %s\n", place, letter)
	}()
	if !test() {
		letter = "F"
	} else if !test() {
		letter = "V"
	} else if wcMoved {
		letter = "M"
	} else {
		letter = "P"
	}
}

func TestProof(t *testing.T) {
	// WAVECODER_TESTS
}
