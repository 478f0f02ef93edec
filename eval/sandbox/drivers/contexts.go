package main

// A context crosses as the time that it has left, why it has ended, and functions that say what it holds and how it is.

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"
)

const wavecoderContextName = "context.Context"

type wavecoderContext struct {
	context.Context
	end   context.CancelFunc
	value func(interface{}) interface{}
	state func() error
}

var wavecoderAskingContext sync.Mutex

// Only what both sides have can be a key over there; the library asks for keys of its own.
func (c *wavecoderContext) Value(key interface{}) interface{} {
	if _, known := wavecoderKinds[reflect.TypeOf(key).String()]; !known || (wavecoderOwner && len(wavecoderTables) == 0) {
		return c.Context.Value(key)
	}
	return c.value(key)
}

// Whoever made it may have ended it meanwhile, in a function that was called.
func (c *wavecoderContext) Err() error {
	if err := c.Context.Err(); err != nil || (wavecoderOwner && len(wavecoderTables) == 0) {
		return err
	}
	wavecoderAskingContext.Lock()
	defer wavecoderAskingContext.Unlock()
	if c.state() != nil {
		c.end()
	}
	return c.Context.Err()
}

func wavecoderPutContext(c context.Context) {
	deadline, limited := c.Deadline()
	wavecoderPut(reflect.ValueOf(limited))
	wavecoderPut(reflect.ValueOf(int64(time.Until(deadline))))
	wavecoderPut(reflect.ValueOf(c.Err() != nil))
	wavecoderPut(reflect.ValueOf(errors.Is(c.Err(), context.DeadlineExceeded)))
	wavecoderPut(reflect.ValueOf(c.Value))
	wavecoderPut(reflect.ValueOf(c.Err))
}

func wavecoderGetContext() reflect.Value {
	limited, left := wavecoderGetNumber() != 0, time.Duration(wavecoderGetNumber())
	ended, late := wavecoderGetNumber() != 0, wavecoderGetNumber() != 0
	made := &wavecoderContext{}
	made.Context, made.end = context.WithCancel(context.Background())
	if limited && (late || !ended) {
		made.Context, made.end = context.WithTimeout(context.Background(), left)
	}
	if ended {
		made.end()
	}
	made.value = wavecoderGet(reflect.TypeOf(made.value)).Interface().(func(interface{}) interface{})
	made.state = wavecoderGet(reflect.TypeOf(made.state)).Interface().(func() error)
	return reflect.ValueOf(made)
}
