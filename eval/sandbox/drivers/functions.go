package main

import (
	"os"
	"reflect"
	"unsafe"
)

// Functions stay where they are: the other side gets one that asks for them by number, and gives it back as that number.
var (
	wavecoderLent       []reflect.Value
	wavecoderLentAt     = map[unsafe.Pointer]uint64{}
	wavecoderBorrowedAt = map[unsafe.Pointer]uint64{}
)

func wavecoderPutFunction(v reflect.Value) {
	if v.IsNil() {
		wavecoderPutNumber(0)
		return
	}
	held := reflect.New(v.Type())
	held.Elem().Set(v)
	at := *(*unsafe.Pointer)(unsafe.Pointer(held.Pointer()))
	if number, ok := wavecoderBorrowedAt[at]; ok {
		wavecoderPutNumber(2*number + 2)
		return
	}
	number, ok := wavecoderLentAt[at]
	if !ok || wavecoderLent[number].Type() != v.Type() {
		number = uint64(len(wavecoderLent))
		wavecoderLent, wavecoderLentAt[at] = append(wavecoderLent, held.Elem()), number
	}
	wavecoderPutNumber(2*number + 1)
}

func wavecoderGetFunction(t reflect.Type) reflect.Value {
	number := wavecoderGetNumber()
	if number == 0 {
		return reflect.Zero(t)
	}
	if number%2 == 0 {
		if number = number/2 - 1; number >= uint64(len(wavecoderLent)) || !wavecoderLent[number].Type().ConvertibleTo(t) {
			os.Exit(wavecoderGone)
		}
		return wavecoderLent[number].Convert(t)
	}
	made := reflect.New(t)
	made.Elem().Set(wavecoderBorrowed(t, number/2))
	wavecoderBorrowedAt[*(*unsafe.Pointer)(unsafe.Pointer(made.Pointer()))] = number / 2
	return made.Elem()
}

func wavecoderServeLent() {
	number := wavecoderGetNumber()
	if number >= uint64(len(wavecoderLent)) {
		os.Exit(wavecoderGone)
	}
	wavecoderServing++
	defer func() { wavecoderServing-- }()
	wavecoderAnswer(wavecoderLent[number])
	wavecoderLeave(wavecoderWriter.Flush())
}

func wavecoderBorrowed(t reflect.Type, number uint64) reflect.Value {
	return reflect.MakeFunc(t, func(given []reflect.Value) []reflect.Value {
		wavecoderEnter()
		defer wavecoderExit()
		wavecoderPutNumber(wavecoderAsks)
		wavecoderPutNumber(number)
		arguments := make([]interface{}, len(given))
		for n, each := range given {
			wavecoderPut(each)
			arguments[n] = each.Interface()
		}
		wavecoderLeave(wavecoderWriter.Flush())
		return wavecoderReply(t, arguments)
	})
}
