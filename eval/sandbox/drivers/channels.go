package main

// A channel crosses as what it holds and whether it is closed. What can be received is taken out before it crosses, until
// the channel is closed or nothing comes for a while; what a call sent to a channel of the tests' is sent on behind it.

import (
	"reflect"
	"sync"
	"time"
)

const (
	wavecoderIdle  = 100 * time.Millisecond
	wavecoderRoom  = 1 << 16
	wavecoderItems = 1 << 20
)

var (
	wavecoderOpen    sync.Mutex // one call at a time: tests call from many goroutines
	wavecoderServing = 0
	wavecoderSent    []func()
)

func wavecoderSendOn() {
	sent := wavecoderSent
	wavecoderSent = nil
	wavecoderOpen.Unlock()
	for _, each := range sent {
		each()
	}
}

func wavecoderPutItems(channel reflect.Value) {
	var items []reflect.Value
	closed := false
	for !closed && !channel.IsNil() && channel.Type().ChanDir() != reflect.SendDir && len(items) < wavecoderItems {
		chosen, item, ok := reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: channel},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(wavecoderIdle))},
		})
		if chosen == 1 {
			break
		}
		if closed = !ok; ok {
			items = append(items, item)
		}
	}
	wavecoderPut(reflect.ValueOf(closed))
	wavecoderPutNumber(uint64(len(items)))
	for _, item := range items {
		wavecoderPut(item)
	}
}

func wavecoderGetItems(t reflect.Type) reflect.Value {
	closed := wavecoderGetNumber() != 0
	size := wavecoderGetNumber()
	if size > wavecoderItems {
		panic("too many items for a channel")
	}
	made := reflect.MakeChan(reflect.ChanOf(reflect.BothDir, t.Elem()), int(size)+wavecoderRoom)
	for ; size > 0; size-- {
		made.Send(wavecoderGet(t.Elem()))
	}
	if closed {
		made.Close()
	}
	return made
}

// Send what a call left in its channel to the tests' own.
func wavecoderPassOn(to, from reflect.Value) func() {
	return func() {
		for from.Len() > 0 {
			item, _ := from.Recv()
			to.Send(item)
		}
		if wavecoderIsClosed(from) {
			to.Close()
		}
	}
}

func wavecoderIsClosed(channel reflect.Value) bool {
	chosen, _, ok := reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: channel}, {Dir: reflect.SelectDefault}})
	return chosen == 0 && !ok
}
