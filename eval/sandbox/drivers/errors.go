package main

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
)

// Errors that both programs declare under the same name; any other is its text and the error that it wraps.
var wavecoderErrors = map[string]error{
	"EOF": io.EOF, "context.Canceled": context.Canceled, "context.DeadlineExceeded": context.DeadlineExceeded,
}

// Of one that comes back each side knows which it was.
var (
	wavecoderLentErrors      []error
	wavecoderLentNumbers     = map[error]uint64{}
	wavecoderBorrowedErrors  = map[uint64]error{}
	wavecoderBorrowedNumbers = map[error]uint64{}
)

type wavecoderWrapped struct {
	text  string
	inner error
}

func (e *wavecoderWrapped) Error() string { return e.text }
func (e *wavecoderWrapped) Unwrap() error { return e.inner }

func wavecoderPutError(err error) {
	for name, known := range wavecoderErrors {
		if reflect.TypeOf(err).Comparable() && err == known {
			wavecoderPutText("sentinel")
			wavecoderPutText(name)
			return
		}
	}
	number := uint64(0)
	if reflect.TypeOf(err).Kind() == reflect.Ptr {
		if known, ok := wavecoderBorrowedNumbers[err]; ok {
			wavecoderPutText("yours")
			wavecoderPutNumber(known)
			return
		}
		if number = wavecoderLentNumbers[err]; number == 0 {
			wavecoderLentErrors = append(wavecoderLentErrors, err)
			number = uint64(len(wavecoderLentErrors))
			wavecoderLentNumbers[err] = number
		}
	}
	wavecoderPutText("error")
	wavecoderPutText(err.Error())
	wavecoderPutNumber(number)
	inner := reflect.New(wavecoderError).Elem()
	if wrapped := errors.Unwrap(err); wrapped != nil {
		inner.Set(reflect.ValueOf(wrapped))
	}
	wavecoderPut(inner)
}

func wavecoderGetError() (err error) {
	text, number := wavecoderGetText(), wavecoderGetNumber()
	if inner := wavecoderGet(wavecoderError); inner.IsNil() {
		err = errors.New(text)
	} else {
		err = &wavecoderWrapped{text, inner.Interface().(error)}
	}
	if known, ok := wavecoderBorrowedErrors[number]; ok && known.Error() == text {
		return known
	}
	if number != 0 {
		wavecoderBorrowedErrors[number], wavecoderBorrowedNumbers[err] = err, number
	}
	return err
}

func wavecoderGetOwnError() error {
	number := wavecoderGetNumber()
	if number == 0 || number > uint64(len(wavecoderLentErrors)) {
		os.Exit(wavecoderGone)
	}
	return wavecoderLentErrors[number-1]
}

// Whether a type is the candidate's, and one that both programs have.
func wavecoderKnows(t reflect.Type) bool {
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	_, ok := wavecoderKinds[t.String()]
	return ok && strings.HasPrefix(t.String(), "main.")
}
