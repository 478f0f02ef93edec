package main

// What several hold together: memory of slices, pointers, maps. Each crosses once a call and has a number from then on, the
// same on both sides; what a call changed in it is changed on the caller's side, too.

import (
	"math"
	"os"
	"reflect"
	"unsafe"
)

type wavecoderHeld struct {
	value      reflect.Value // all of a slice's memory, a pointer, a map
	start, end uintptr
}

type wavecoderTable struct {
	held   []wavecoderHeld
	places map[uintptr][]int // where each begins
}

const (
	wavecoderNil   = math.MaxUint64
	wavecoderKnown = math.MaxUint64 - 1
	wavecoderNew   = math.MaxUint64 - 2
	wavecoderFew   = 200 // so many blocks of memory are searched for one that holds a part
)

var wavecoderTables []*wavecoderTable

func wavecoderEnter() {
	wavecoderTables = append(wavecoderTables, &wavecoderTable{places: map[uintptr][]int{}})
}
func wavecoderExit() { wavecoderTables = wavecoderTables[:len(wavecoderTables)-1] }

func wavecoderTop() *wavecoderTable { return wavecoderTables[len(wavecoderTables)-1] }
func wavecoderShared() int          { return len(wavecoderTop().held) }

func (t *wavecoderTable) add(v reflect.Value) int {
	own := reflect.New(v.Type()).Elem() // a value of a slot would change with the slot
	own.Set(v)
	made := wavecoderHeld{value: own, start: v.Pointer()}
	if v.Kind() == reflect.Slice {
		made.end = made.start + uintptr(v.Len())*v.Type().Elem().Size()
	}
	t.held = append(t.held, made)
	t.places[made.start] = append(t.places[made.start], len(t.held)-1)
	return len(t.held) - 1
}

// The number of what holds a value, or -1.
func (t *wavecoderTable) find(v reflect.Value) int {
	start := v.Pointer()
	for _, n := range t.places[start] {
		if t.fits(n, v) {
			return n
		}
	}
	if v.Kind() == reflect.Slice && len(t.held) < wavecoderFew {
		for n := range t.held {
			if t.fits(n, v) {
				return n
			}
		}
	}
	return -1
}

func (t *wavecoderTable) fits(n int, v reflect.Value) bool {
	each := t.held[n]
	if each.value.Kind() != v.Kind() {
		return false
	}
	if v.Kind() != reflect.Slice {
		return each.value.Type() == v.Type()
	}
	size := v.Type().Elem().Size()
	start := v.Pointer()
	return each.value.Type().Elem() == v.Type().Elem() && size > 0 && each.start <= start && start+uintptr(wavecoderReach(v))*size <= each.end
}

// How much of a slice's memory crosses: what lies behind its end, too, unless there is too much of it.
func wavecoderReach(v reflect.Value) int {
	if v.Cap() > 2*v.Len()+64 {
		return v.Len()
	}
	return v.Cap()
}

func wavecoderPutShared(v reflect.Value) {
	if v.IsNil() {
		wavecoderPutNumber(wavecoderNil)
		return
	}
	top := wavecoderTop()
	if n := top.find(v); n >= 0 {
		wavecoderPutNumber(wavecoderKnown)
		wavecoderPutNumber(uint64(n))
		if v.Kind() == reflect.Slice {
			wavecoderPutNumber(uint64((v.Pointer() - top.held[n].start) / v.Type().Elem().Size()))
			wavecoderPutNumber(uint64(v.Len()))
			wavecoderPutNumber(uint64(wavecoderReach(v)))
		}
		return
	}
	wavecoderPutNumber(wavecoderNew)
	whole := v
	if v.Kind() == reflect.Slice {
		whole = v.Slice3(0, wavecoderReach(v), wavecoderReach(v))
		wavecoderPutNumber(uint64(v.Len()))
		wavecoderPutNumber(uint64(whole.Len()))
	}
	top.add(whole)
	wavecoderPutContent(whole)
}

func wavecoderGetShared(t reflect.Type) reflect.Value {
	top := wavecoderTop()
	switch wavecoderGetNumber() {
	case wavecoderNil:
		return reflect.Zero(t)
	case wavecoderKnown:
		n := wavecoderGetNumber()
		if n >= uint64(len(top.held)) || top.held[n].value.Kind() != t.Kind() {
			os.Exit(wavecoderGone)
		}
		found := top.held[n].value
		if t.Kind() == reflect.Slice {
			first, size, reach := int(wavecoderGetNumber()), int(wavecoderGetNumber()), int(wavecoderGetNumber())
			if first < 0 || size < 0 || reach < size || first+reach < 0 || first+reach > found.Len() {
				os.Exit(wavecoderGone)
			}
			found = found.Slice3(first, first+size, first+reach)
		}
		if !found.Type().ConvertibleTo(t) {
			os.Exit(wavecoderGone)
		}
		return found.Convert(t)
	}
	made, size := reflect.Value{}, 0
	switch t.Kind() {
	case reflect.Slice:
		size = int(wavecoderGetNumber())
		made = wavecoderGrown(t, int(wavecoderGetNumber()))
		if size < 0 || size > made.Len() {
			os.Exit(wavecoderGone)
		}
	case reflect.Map:
		made = reflect.MakeMap(t)
	default:
		made = reflect.New(t.Elem()).Convert(t)
	}
	top.add(made)
	wavecoderGetContent(made)
	if t.Kind() == reflect.Slice {
		return made.Slice(0, size)
	}
	return made
}

// No more memory than the limit lets anybody ask for by a number.
func wavecoderGrown(t reflect.Type, size int) reflect.Value {
	if size < 0 || uintptr(size) > (1<<31)/(t.Elem().Size()+1) {
		panic("too many items for a slice")
	}
	return reflect.MakeSlice(t, size, size)
}

func wavecoderPutContent(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for n := 0; n < v.Len(); n++ {
			wavecoderPut(v.Index(n))
		}
	case reflect.Map:
		wavecoderPutNumber(uint64(v.Len()))
		for _, key := range v.MapKeys() {
			wavecoderPut(key)
			wavecoderPut(v.MapIndex(key))
		}
	default:
		if wavecoderIsOpaque(v.Type().Elem()) {
			wavecoderPutFields(v.Elem())
		} else {
			wavecoderPut(v.Elem())
		}
	}
}

func wavecoderGetContent(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for n := 0; n < v.Len(); n++ {
			v.Index(n).Set(wavecoderGet(v.Type().Elem()))
		}
	case reflect.Map:
		for n := wavecoderGetNumber(); n > 0; n-- {
			key := wavecoderGet(v.Type().Key())
			v.SetMapIndex(key, wavecoderGet(v.Type().Elem()))
		}
	default:
		if wavecoderIsOpaque(v.Type().Elem()) {
			wavecoderGetFields(v.Elem())
		} else {
			v.Elem().Set(wavecoderGet(v.Type().Elem()))
		}
	}
}

func wavecoderPutContents(size int) {
	for n := 0; n < size; n++ {
		wavecoderPutContent(wavecoderTop().held[n].value)
	}
}

func wavecoderRenew(size int) {
	for n := 0; n < size; n++ {
		v := wavecoderTop().held[n].value
		if v.Kind() == reflect.Map {
			for _, key := range v.MapKeys() {
				v.SetMapIndex(key, reflect.Value{})
			}
		}
		wavecoderGetContent(v)
	}
}

// Objects that are more than data stay at the candidate's; the tests have their numbers.
var (
	wavecoderOpaque  = map[string][]string{} // names of their types, and of the fields that the tests see
	wavecoderObjects = map[uint64]reflect.Value{}
	wavecoderNumbers = map[unsafe.Pointer]uint64{}
	wavecoderOwner   = false // whether this is the candidate's program
	wavecoderLast    = uint64(0)
)

func wavecoderIsOpaque(t reflect.Type) bool {
	name := t.Name()
	for n, character := range name {
		if character == '[' {
			name = name[:n]
			break
		}
	}
	_, known := wavecoderOpaque[name]
	return known && t.PkgPath() == "main"
}

// Each side counts in numbers of its own: those of the tests' objects, which the candidate has yet to make, are even.
func wavecoderNext() uint64 {
	wavecoderLast += 2
	if wavecoderOwner {
		return wavecoderLast + 1
	}
	return wavecoderLast
}

func wavecoderPutOpaque(pointer reflect.Value) {
	if pointer.IsNil() {
		wavecoderPutNumber(0)
		return
	}
	at := unsafe.Pointer(pointer.Pointer())
	if !wavecoderOwner {
		number := (*uint64)(at)
		if *number == 0 {
			*number = wavecoderNext()
		}
		wavecoderObjects[*number] = pointer
		wavecoderPutNumber(*number)
	} else {
		if wavecoderNumbers[at] == 0 {
			wavecoderNumbers[at] = wavecoderNext()
			wavecoderObjects[wavecoderNumbers[at]] = pointer
		}
		wavecoderPutNumber(wavecoderNumbers[at])
	}
	if wavecoderIsNew(pointer) {
		wavecoderPutFields(pointer.Elem())
	}
}

// A pointer to an object of such a type.
func wavecoderGetOpaque(t reflect.Type) reflect.Value {
	number := wavecoderGetNumber()
	if number == 0 {
		return reflect.Zero(reflect.PtrTo(t))
	}
	found, ok := wavecoderObjects[number]
	if !ok {
		found = reflect.New(t)
		wavecoderObjects[number] = found
		if wavecoderOwner {
			wavecoderNumbers[unsafe.Pointer(found.Pointer())] = number
		} else {
			*(*uint64)(unsafe.Pointer(found.Pointer())) = number
		}
	}
	if found.Type() != reflect.PtrTo(t) {
		os.Exit(wavecoderGone)
	}
	if wavecoderIsNew(found) {
		wavecoderGetFields(found.Elem())
	}
	return found
}

// Whether this call has not met an object whose fields the tests see; it is met from now on.
func wavecoderIsNew(pointer reflect.Value) bool {
	if len(wavecoderOpaque[pointer.Type().Elem().Name()]) == 0 || wavecoderTop().find(pointer) >= 0 {
		return false
	}
	wavecoderTop().add(pointer)
	return true
}

func wavecoderPutFields(object reflect.Value) {
	for _, name := range wavecoderOpaque[object.Type().Name()] {
		wavecoderPut(wavecoderNamed(object, name))
	}
}

func wavecoderGetFields(object reflect.Value) {
	for _, name := range wavecoderOpaque[object.Type().Name()] {
		field := wavecoderNamed(object, name)
		field.Set(wavecoderGet(field.Type()))
	}
}

func wavecoderNamed(object reflect.Value, name string) reflect.Value {
	field, _ := object.Type().FieldByName(name)
	return wavecoderField(object, field.Index[0])
}
