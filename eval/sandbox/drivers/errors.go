package main

import (
	"errors"
	"io"
	"reflect"
	"strings"
)

// Errors that both programs declare under the same name; any other is its text and the error that it wraps.
var wavecoderErrors = map[string]error{"EOF": io.EOF}

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
	wavecoderPutText("error")
	wavecoderPutText(err.Error())
	inner := reflect.New(wavecoderError).Elem()
	if wrapped := errors.Unwrap(err); wrapped != nil {
		inner.Set(reflect.ValueOf(wrapped))
	}
	wavecoderPut(inner)
}

// Whether a type is the candidate's, and one that both programs have.
func wavecoderKnows(t reflect.Type) bool {
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	_, ok := wavecoderKinds[t.String()]
	return ok && strings.HasPrefix(t.String(), "main.")
}
