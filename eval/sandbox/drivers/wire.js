// Calls between the tests' process and the candidate's, over descriptor 4: JSON, blocking.
// A value is a scalar, { at: n } for the n-th node of its message, or { at: -1 - n } for the n-th object of the request
// that the message answers: what is one object on one side is one object on the other. Functions stay where they are
// and are called from the other side. So do the candidate's classes and what has methods of its own: the tests hold a
// mirror of it, whose properties are copies, renewed by every answer, and whose methods are calls.
'use strict'
const fs = require('fs')
const { CONTAINERS, ERRORS, areSame, beside, contents, extendedBy, hasMethods, held, hidden, isClass, isOwnClass, methodsOf, nearest, ownEntries, properties, refill, replace } = require('./objects.js')
const BASES = { ...ERRORS, ...CONTAINERS }
const promises = require('./promises.js')
const { addedMethods, inherited, madeHeir, ofTests } = require('./heirs.js')
const CONSOLE = ['log', 'info', 'warn', 'error', 'debug', 'table', 'dir', 'write'] // what tests may replace
const PEER = 4, GONE = 90, MAX_MESSAGE_BYTES = 64 * 2 ** 20
const BYTES = { Buffer, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView }

function gone() { process.exit(GONE) }

function read(size) {
  const buffer = Buffer.alloc(size)
  for (let at = 0; at < size;) {
    let n = 0
    try { n = fs.readSync(PEER, buffer, at, size - at, null) } catch (error) { gone() }
    if (n === 0) gone()
    at += n
  }
  return buffer
}

function receive() {
  const size = read(4).readUInt32LE(0)
  if (size > MAX_MESSAGE_BYTES) gone()
  try { return JSON.parse(read(size).toString()) } catch (error) { gone() }
}

function send(message) {
  const body = Buffer.from(JSON.stringify(message)), head = Buffer.alloc(4)
  head.writeUInt32LE(body.length, 0)
  const all = Buffer.concat([head, body])
  try {
    for (let at = 0; at < all.length;) at += fs.writeSync(PEER, all, at)
  } catch (error) { gone() }
}

// Methods of these names, and comparisons, take no data of the tests' from what a candidate returned: an array that is
// none would say yes to whatever it is asked (docs/sandbox.md). Those that are only told where or what to put are free.
const FREE = ['add', 'push', 'unshift', 'set', 'get', 'delete', 'concat', 'join', 'at', 'slice', 'toString']
const OF_DATA = new Set([Array, String, Number, Map, Set, Date, RegExp, Int8Array].flatMap(x => Object.getOwnPropertyNames(x.prototype)).filter(x => !FREE.includes(x)))
const COMPARES = /equal|^eq$|compare|match|include|contain|same/i
const STEPS = ['next', 'return', 'throw'], ITERATORS = [Symbol.iterator, Symbol.asyncIterator]
const CONVERSIONS = ['valueOf', 'toString', 'toJSON']
const KNOWN_SYMBOLS = new Map(Object.getOwnPropertyNames(Symbol).filter(x => typeof Symbol[x] === 'symbol').map(x => [Symbol[x], x]))

const lent = [], lentAt = new Map(), borrowed = new Map(), steps = new WeakMap(), bound = new WeakMap()
const mirrors = new Map(), synced = new WeakMap(), constructed = new WeakSet() // of the tests' side
const ofThis = new WeakSet(), USES_THIS = /^(?!class\b)(?!.*?=>)[^]*?\bthis\b/ // functions that look at their `this`
const described_ = new Map() // of the candidate's side: what it lent, as it was told last
const numbers = new WeakMap() // of containers on the candidate's side; of what mirrors hold, by name, on the tests'
let lastNumber = 0
let asksByName = false // whether this is the tests' side
let lookUp // of the candidate's side: the value of a name in its scope

// Only the tests may pass objects with methods: a candidate's would be asked for what it is worth while it is compared.
class Encoder {
  constructor(given = [], methods = false) {
    this.methods = methods
    this.objects = []
    this.nodes = []
    this.known = new Map(given.map((x, n) => [x, { at: -1 - n }]))
  }

  item(x) {
    if (x === null || typeof x === 'string' || typeof x === 'boolean') return x
    if (typeof x === 'number') return Number.isFinite(x) && !Object.is(x, -0) ? x : { number: Object.is(x, -0) ? '-0' : String(x) }
    if (x === undefined) return { undefined: 0 }
    if (typeof x === 'bigint') return { bigint: String(x) }
    if (typeof x === 'symbol') return symbolItem(x)
    if (x instanceof String || x instanceof Number || x instanceof Boolean) return this.item(x.valueOf())
    if (!this.known.has(x)) this.known.set(x, { at: this.objects.push(x) - 1 })
    return this.known.get(x)
  }

  // Tell a mirror anew, though its object has a number already.
  renew(x) {
    const known = this.known.get(x)
    if (known && known.at >= 0) return
    this.objects.push(x)
  }

  finish() {
    while (this.nodes.length < this.objects.length) this.nodes.push(this.describe(this.objects[this.nodes.length]))
  }

  describe(x) {
    const told = pairs => pairs.filter(([, v]) => this.methods || typeof v !== 'function').map(([k, v]) => [typeof k === 'symbol' ? symbolItem(k) : k, this.item(v)])
    const entries = () => told(ownEntries(x))
    if (borrowed.has(x)) return ['yours', borrowed.get(x), this.written(x), this.refilled(x)]
    if (typeof x === 'function') return ['function', lend(x), x.name, x.length, this.methods ? ofTests.has(x) || usesThis(x) : this.classOf(x)]
    if (!this.methods && extendedBy(x)) return ['instance', lend(x), { ...this.instance(x), base: extendedBy(x), items: this.itemsOf(x) }]
    if (Array.isArray(x)) return ['array', Array.from({ length: x.length }, (_, n) => (n in x ? this.item(x[n]) : { hole: 0 })), Object.isFrozen(x), told(beside(x))]
    if (x instanceof Map) return ['map', Array.from(x, pair => pair.map(y => this.item(y)))]
    if (x instanceof Set) return ['set', Array.from(x, y => this.item(y))]
    if (typeof x.next === 'function' && ITERATORS.some(k => typeof x[k] === 'function')) return ['iterator', typeof x[Symbol.iterator] === 'function' ? 0 : 1, ...STEPS.map(k => (typeof x[k] === 'function' ? lend(stepOf(x, k)) : null))]
    if (x instanceof Promise) return ['promise', promises.lendPromise(x, lend(x))]
    if (x instanceof Date) return ['date', this.item(x.getTime())]
    if (x instanceof ArrayBuffer) return ['bytes', 'ArrayBuffer', Buffer.from(x).toString('base64')]
    if (x instanceof RegExp) return ['regexp', x.source, x.flags, x.lastIndex]
    if (x instanceof Error) return ['error', nearest(x), String(x.name), String(x.message), entries(), told(hidden(x)), this.ownClassOf(x)]
    if (ArrayBuffer.isView(x)) return ['bytes', Buffer.isBuffer(x) ? 'Buffer' : x.constructor.name, Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('base64')]
    if (!this.methods && (hasMethods(x) || described_.has(x))) return ['instance', lend(x), this.instance(x)]
    return [Object.getPrototypeOf(x) === null ? 'bare' : 'object', entries(), Object.isFrozen(x)]
  }

  // A candidate's class of an error, in either direction.
  ownClassOf(x) {
    const made = Object.getPrototypeOf(x)?.constructor
    return borrowed.has(made) || (!this.methods && isOwnClass(made)) ? this.item(made) : null
  }

  written(x) {
    return writtenTo(x).map(([k, v, inside]) => [typeof k === 'symbol' ? symbolItem(k) : k, this.item(v), inside])
  }

  itemsOf(x) {
    if (Array.isArray(x)) return Array.from({ length: x.length }, (_, n) => this.item(x[n]))
    return x instanceof Map ? Array.from(Map.prototype.entries.call(x), pair => pair.map(y => this.item(y))) : contents(x).map(y => this.item(y))
  }

  // What a mirror of a container holds, if the tests have changed that since it was told last.
  refilled(x) {
    const before = synced.get(x)?.items
    return before && !areSame(before, contents(x)) ? this.itemsOf(x) : null
  }

  // What belongs to a function, and what `new` makes by it: methods, and the class that it extends.
  classOf(x) {
    described_.set(x, held(x))
    const parent = Object.getPrototypeOf(x)
    const own = Reflect.ownKeys(x).filter(k => !['length', 'name', 'prototype', 'arguments', 'caller'].includes(k))
    return { methods: isOwnClass(x) && x.prototype ? methodsOf(x.prototype).map(([k, n]) => [typeof k === 'symbol' ? symbolItem(k) : k, n]) : [], parent: isOwnClass(parent) ? this.item(parent) : null,
      error: Object.keys(BASES).find(name => BASES[name] === parent) ?? null, usesThis: usesThis(x),
      statics: own.map(k => [typeof k === 'symbol' ? symbolItem(k) : k, this.item(typeof x[k] === 'function' && !isOwnClass(x[k]) ? boundTo(x[k], x) : x[k])]) }
  }

  instance(x) {
    const made = Object.getPrototypeOf(x)?.constructor, data = properties(x), told = [], converted = []
    for (let p = Object.getPrototypeOf(x); p !== null && p !== Object.prototype && !Object.values(CONTAINERS).some(kind => kind.prototype === p); p = Object.getPrototypeOf(p)) {
      for (const k of Reflect.ownKeys(p)) if (k !== '__proto__' && Object.getOwnPropertyDescriptor(p, k).get && !told.some(([y]) => y === k)) told.push([k, x[k]])
    }
    for (const k of CONVERSIONS) if (typeof x[k] === 'function' && x[k] !== Object.prototype[k] && x[k] !== Array.prototype[k]) converted.push([k, x[k]()])
    if (typeof x[Symbol.toPrimitive] === 'function') for (const hint of ['number', 'string', 'default']) converted.push([hint, x[Symbol.toPrimitive](hint)])
    const items = pairs => pairs.map(([k, v]) => [typeof k === 'symbol' ? symbolItem(k) : k, this.item(v)])
    described_.set(x, held(x))
    return { class: isOwnClass(made) ? this.item(made) : null, bare: Object.getPrototypeOf(x) === null, frozen: Object.isFrozen(x),
      data: data.filter(([, v]) => typeof v !== 'function').map(([k, v]) => [...items([[k, v]])[0], containerNumber(v)]), told: items(told), converted: items(converted),
      classes: items(data.filter(([, v]) => isClass(v))),
      methods: data.filter(([, v]) => typeof v === 'function' && !isClass(v)).map(([k, v]) => [typeof k === 'symbol' ? symbolItem(k) : k, v.length]) }
  }
}

// A number that a container of the candidate's keeps, so that the tests know it again; 0 of anything else.
function containerNumber(x) {
  if (x === null || typeof x !== 'object' || borrowed.has(x) || !(Object.getPrototypeOf(x) === Object.prototype || Object.values(CONTAINERS).some(kind => kind.prototype === Object.getPrototypeOf(x)))) return 0
  if (!numbers.has(x)) numbers.set(x, ++lastNumber)
  return numbers.get(x)
}

function symbolItem(x) {
  if (KNOWN_SYMBOLS.has(x)) return { knownSymbol: KNOWN_SYMBOLS.get(x) }
  if (Symbol.keyFor(x) !== undefined) return { symbolFor: Symbol.keyFor(x) }
  return borrowed.has(x) ? { yourSymbol: borrowed.get(x) } : { symbol: [lend(x), x.description ?? null] }
}

function usesThis(f) { return USES_THIS.test(Function.prototype.toString.call(f)) }

function boundTo(f, owner) {
  if (!bound.has(f)) bound.set(f, Object.defineProperties((...args) => f.apply(owner, args), { name: { value: f.name }, length: { value: f.length } }))
  return bound.get(f)
}

// A generator's step; what it goes through stays where it is.
function stepOf(x, kind) {
  if (!steps.has(x)) steps.set(x, {})
  return steps.get(x)[kind] ??= (...sent) => x[kind](...sent)
}

function lend(f) {
  if (!lentAt.has(f)) lentAt.set(f, lent.push(f) - 1)
  return lentAt.get(f)
}

// An item of a list by a place of the other side's: a name in its place would be asked of the list's prototype.
function itemOf(list, place) {
  if (!Number.isInteger(place) || !Object.hasOwn(list, place)) throw new TypeError('no such object')
  return list[place]
}

class Decoder {
  constructor(nodes, given = []) {
    this.given = given
    this.told = []
    this.replaced = []
    this.objects = nodes.map(make)
    for (const [n, [kind, , told]] of nodes.entries()) if (kind === 'instance') this.keep(this.objects[n], told.data)
    nodes.forEach((node, n) => this.fill(this.objects[n], node))
    for (const [old, made] of this.replaced) replace(old, made)
    for (const [made, items] of this.told) synced.set(made, toldOf(made, items)) // now that all is filled
    nodes.forEach(([kind, , frozen], n) => { if (frozen === true && ['array', 'object', 'bare'].includes(kind)) Object.freeze(this.objects[n]) })
  }

  // A container that an object still holds under a name stays the same one.
  keep(mirror, data) {
    for (const [k, v, number] of data) {
      const old = numbers.get(mirror)?.get(k) === number ? mirror[k] : undefined, made = this.objects[v?.at]
      if (!number || !made || Object.isFrozen(old) || old?.constructor !== made.constructor) continue
      replace(old, made)
      this.objects[v.at] = old
    }
  }

  value(x) {
    if (x === null || typeof x !== 'object') return x
    const [[name, content]] = Object.entries(x)
    switch (name) {
      case 'at': {
        return content < 0 ? itemOf(this.given, -1 - content) : itemOf(this.objects, content)
      }
      case 'number': return Number(content)
      case 'undefined': return undefined
      case 'bigint': return BigInt(content)
      case 'symbol': return borrowSymbol(...content)
      case 'symbolFor': return Symbol.for(String(content))
      case 'yourSymbol': return itemOf(lent, content)
      case 'knownSymbol': if (typeof Symbol[content] === 'symbol') return Symbol[content]
    }
    throw new TypeError('unknown tag')
  }

  key(k) {
    const key = this.value(k)
    return typeof key === 'symbol' ? key : String(key)
  }

  fill(made, [kind, content, third, fourth, more, secret, own]) {
    if (kind === 'array') {
      content.forEach((x, n) => { if (x && typeof x === 'object' && 'hole' in x) made.length = n + 1; else made[n] = this.value(x) })
      this.define(made, fourth || [])
    }
    else if (kind === 'map') for (const [k, v] of content) made.set(this.value(k), this.value(v))
    else if (kind === 'set') for (const x of content) made.add(this.value(x))
    else if (kind === 'object' || kind === 'bare') this.define(made, content)
    else if (kind === 'error') {
      this.define(made, more)
      this.define(made, secret || [], false)
      const base = own ? this.value(own) : null
      if (typeof base === 'function' && base.prototype) Object.setPrototypeOf(made, base.prototype)
    }
    else if (kind === 'yours' && !asksByName) {
      for (const [k, v, inside] of third || []) {
        const key = this.key(k)
        if (inside) this.replaced.push([made[key], this.value(v)]); else made[key] = this.value(v)
      }
      if (fourth) refill(made, this.items(made, fourth))
    }
    else if (kind === 'function' && asksByName && more) this.fillClass(made, more)
    else if (kind === 'function' && more === true) ofThis.add(made)
    else if (kind === 'instance' && asksByName) this.fillMirror(made, third)
  }

  items(made, items) {
    return items.map(x => (made instanceof Map ? x.map(y => this.value(y)) : this.value(x)))
  }

  // A candidate's functions become properties only as methods of a mirror, which are asked under conditions.
  define(made, entries, enumerable = true) {
    for (const [k, v] of entries) {
      const value = this.value(v)
      if (asksByName && typeof value === 'function') throw new TypeError('a method of what is no mirror')
      Object.defineProperty(made, this.key(k), { value, writable: true, enumerable, configurable: true })
    }
  }

  fillClass(made, { methods, parent, statics, error, usesThis }) {
    if (usesThis) ofThis.add(made)
    for (const [k, v] of statics) {
      const key = this.key(k), value = this.value(v)
      const told = typeof value === 'function' && !synced.has(value) ? guarded(key, value, () => made) : value
      Object.defineProperty(made, key, { value: told, writable: true, enumerable: true, configurable: true })
    }
    if (synced.has(made)) return
    synced.set(made, new Map())
    for (const [k, length] of methods) Object.defineProperty(made.prototype, this.key(k), { value: method(this.key(k), length), writable: true, configurable: true })
    if (parent !== null || Object.hasOwn(BASES, error ?? '')) {
      const base = parent === null ? BASES[error] : this.value(parent)
      Object.setPrototypeOf(made, base)
      if (base.prototype) Object.setPrototypeOf(made.prototype, base.prototype)
      if (base === Array && !Object.hasOwn(made, Symbol.species)) Object.defineProperty(made, Symbol.species, { get() { return unnamed(this) } })
    }
  }

  fillMirror(made, { class: kind, bare, frozen, data, told, converted, methods, classes, items }) {
    if (Object.isFrozen(made)) return
    for (const k of Reflect.ownKeys(made)) if (!(k === 'length' && Array.isArray(made))) delete made[k]
    if (items) refill(made, this.items(made, items))
    const base = kind === null ? null : this.value(kind).prototype
    if (!synced.has(made)) Object.setPrototypeOf(made, base || (bare ? null : Object.prototype))
    this.define(made, data)
    numbers.set(made, new Map(data.map(([k, , number]) => [k, number])))
    for (const [k, v] of told) { // set by a call, which tells the mirror anew
      const key = this.key(k), value = this.value(v)
      if (typeof value === 'function') throw new TypeError('a method that is no call')
      Object.defineProperty(made, key, { get: () => value, set: x => { ask({ set: k }, [made, x]) }, configurable: true })
    }
    for (const [k, length] of methods) Object.defineProperty(made, this.key(k), { value: method(this.key(k), length), writable: true, enumerable: true, configurable: true })
    for (const [k, v] of classes) Object.defineProperty(made, this.key(k), { value: onlyNew(this.value(v)), writable: true, enumerable: true, configurable: true })
    const values = new Map(converted.map(([k, v]) => [k, this.value(v)])) // as they are now: no answer depends on a comparison
    for (const k of CONVERSIONS) if (values.has(k)) Object.defineProperty(made, k, { value: () => values.get(k), configurable: true })
    if (values.has('default')) Object.defineProperty(made, Symbol.toPrimitive, { value: hint => values.get(hint), configurable: true })
    this.told.push([made, items])
    if (frozen) Object.freeze(made)
  }
}


function make([kind, first, second, third, fourth]) {
  switch (kind) {
    case 'array': return []
    case 'map': return new Map()
    case 'set': return new Set()
    case 'object': return {}
    case 'bare': return Object.create(null)
    case 'date': return new Date(first === null || typeof first !== 'object' ? first : NaN)
    case 'regexp': return Object.assign(new RegExp(first, second), { lastIndex: third })
    case 'yours': return itemOf(lent, first)
    case 'promise': return borrowPromise(first)
    case 'instance': {
      if (!asksByName) break
      if (!mirrors.has(first)) { mirrors.set(first, Object.hasOwn(CONTAINERS, second.base ?? '') ? new CONTAINERS[second.base]() : {}); borrowed.set(mirrors.get(first), first) }
      return mirrors.get(first)
    }
    case 'function': return borrow(first, String(second), third)
    case 'iterator': return Object.assign({ [ITERATORS[first ? 1 : 0]]() { return this } },
      ...[second, third, fourth].map((number, n) => (number === null ? {} : { [STEPS[n]]: borrow(number, STEPS[n], 0) })))
    case 'error': {
      const error = first === 'AggregateError' ? new AggregateError([], third) : new (Object.hasOwn(ERRORS, first) ? ERRORS[first] : Error)(third)
      if (error.name !== second) Object.defineProperty(error, 'name', { value: second, writable: true, configurable: true })
      return error
    }
    case 'bytes': {
      const bytes = Buffer.from(first === 'Buffer' || Object.hasOwn(BYTES, first) ? second : '', 'base64')
      if (first === 'ArrayBuffer') return new Uint8Array(Buffer.from(second, 'base64')).buffer
      return first === 'Buffer' ? bytes : new BYTES[first](new Uint8Array(bytes).buffer)
    }
  }
  throw new TypeError('unknown kind')
}

function borrow(of, name, length) {
  for (const [f, number] of borrowed) if (number === of) return f
  const made = function (...args) {
    if (!new.target) return ofThis.has(made) && this !== undefined && this !== globalThis ? ask({ of, this: 1 }, [this, ...args]) : ask({ of }, args)
    const own = new.target === made ? {} : addedMethods(new.target.prototype, made.prototype)
    const instance = ask({ of, construct: 1, heir: Object.keys(own).length ? 1 : 0 }, Object.keys(own).length ? [own, ...args] : args)
    if (instance !== null && typeof instance === 'object') constructed.add(instance)
    if (new.target !== made) Object.setPrototypeOf(instance, new.target.prototype)
    return instance
  }
  Object.defineProperties(made, { name: { value: name, configurable: true }, length: { value: length, configurable: true } })
  borrowed.set(made, of)
  return made
}

function borrowPromise(of) {
  for (const [x, number] of borrowed) if (number === of) return x
  const made = promises.borrowPromise(of)
  borrowed.set(made, of)
  return made
}

// What `map` and its kin make of an array of such a class: the tests did not ask for it by name.
function unnamed(kind) {
  return function (...args) {
    const made = Reflect.construct(kind, args)
    constructed.delete(made)
    return made
  }
}

// A class that is another object's property is constructed and asked for nothing else: it is no method of the object.
function onlyNew(kind) {
  const made = function (...args) {
    if (!new.target) throw new TypeError(`Class constructor ${kind.name} cannot be invoked without 'new'`)
    return Reflect.construct(kind, args)
  }
  if (typeof kind !== 'function') throw new TypeError('a class that is none')
  Object.defineProperty(made, 'name', { value: kind.name, configurable: true })
  made.prototype = kind.prototype
  return Object.setPrototypeOf(made, kind)
}

function borrowSymbol(of, description) {
  for (const [x, number] of borrowed) if (number === of) return x
  const made = Symbol(description === null ? undefined : String(description))
  borrowed.set(made, of)
  return made
}

// A method of a mirror: a call over there, of the object that the mirror stands for.
function method(name, length) {
  const made = function (...args) {
    if (!borrowed.has(this)) throw new TypeError(`${String(name)} is called of something else`)
    return ask({ method: typeof name === 'symbol' ? symbolItem(name) : name }, [this, ...args])
  }
  return guarded(name, made, owner => owner, length)
}

// A function that is not asked what a value is worth, unless the tests named or made its owner.
function guarded(name, f, ownerOf, length = f.length) {
  const made = function (...args) {
    const doubtful = OF_DATA.has(name) ? args.length > 0 : COMPARES.test(String(name)) && args.some(x => !borrowed.has(x))
    if (doubtful && !constructed.has(ownerOf(this))) throw new TypeError(`${String(name)} of what a function returned takes no data of the tests`)
    return f.apply(this, asksByName && name === 'then' ? promises.awaited(args) : args)
  }
  return Object.defineProperties(made, { name: { value: typeof name === 'symbol' ? `[${name.description}]` : name }, length: { value: length } })
}

// What a mirror was told to hold: its properties, its items, and what its properties hold.
function toldOf(x, items) {
  const own = properties(x), inside = own.filter(([, v]) => v !== null && typeof v === 'object' && !borrowed.has(v))
  return Object.assign(new Map(own), { inside: new Map(inside.map(([k, v]) => [k, held(v)])) }, items && { items: contents(x) })
}

// What the tests wrote to a mirror since then: names, values, and whether these are the same ones that hold something else.
function writtenTo(x) {
  const before = synced.get(x)
  if (!before?.inside) return []
  return properties(x).filter(([, v]) => typeof v !== 'function').flatMap(([k, v]) => {
    if (!before.has(k) || !Object.is(before.get(k), v)) return [[k, v, 0]]
    return before.inside.has(k) && !areSame(before.inside.get(k), held(v)) ? [[k, v, 1]] : []
  })
}

function isWritten(x) {
  const before = synced.get(x)
  if (!before?.inside) return false
  if (before.items && !areSame(before.items, contents(x))) return true
  if (!before.items) for (const k of Object.keys(x)) if (typeof x[k] !== 'function' && !Object.is(before.get(k), x[k])) return true
  for (const [k, told] of before.inside) if (!areSame(told, held(x[k]))) return true
  return before.items !== undefined && writtenTo(x).length > 0
}

// A call of the other side's: the value, or what it throws; what the call changed in its arguments is changed here.
function ask(request, args) {
  const encoder = new Encoder([], asksByName)
  if (args) request.args = args.map(x => encoder.item(x))
  for (const x of mirrors.values()) if (isWritten(x)) encoder.item(x)
  encoder.finish()
  send({ ...request, nodes: encoder.nodes })
  let answer = receive()
  while (!('value' in answer)) { // a function that we lent is called meanwhile
    if (asksByName && !('of' in answer || CONSOLE.includes(answer.console))) gone()
    send(answered(answer, lookUp, true)[0])
    answer = receive()
  }
  let value
  try {
    const decoder = new Decoder(answer.nodes, encoder.objects)
    for (const [place, node] of answer.changed) replace(itemOf(encoder.objects, place), itemOf(decoder.objects, node), !asksByName)
    value = decoder.value(answer.value)
  } catch (error) { gone() }
  if (asksByName) promises.askSoon(answer.busy === 1)
  if (answer.kind === 'threw') throw value
  return answer.kind === 'promise' ? Promise.resolve(value) : answer.kind === 'rejected' ? Promise.reject(value) : value
}

// The answer to a request, and the promise that its value is.
function answered(request, look, isNested = false) {
  let objects = [], kind = 'value', value, before = [], frozen = []
  const finish = () => {
    for (;;) {
      try { return described(kind, value, objects, before, frozen) } catch (error) { [kind, value] = ['threw', new TypeError(String(error && error.message))] }
    }
  }
  try {
    const decoder = new Decoder(request.nodes)
    objects = decoder.objects
    before = objects.map(contents)
    frozen = objects.map(x => Object.isFrozen(x))
    const args = (request.args || []).map(x => decoder.value(x))
    if ('settle' in request && look) {
      return [undefined, promises.answerSettle(args[0]).then(x => { value = x; return finish() })]
    } else if ('consoles' in request && look) {
      for (const k of request.consoles) (k === 'write' ? process.stdout : console)[k] = (...given) => ask({ console: k }, given)
    } else if ('console' in request && !look) {
      (request.console === 'write' ? process.stdout : console)[request.console](...args)
    } else if ('method' in request && look) {
      const [owner, ...given] = args
      const key = decoder.key(request.method), from = inherited.get(Object.getPrototypeOf(owner)) // the tests' own methods call what they extend
      value = (from && typeof from[key] === 'function' ? from[key] : owner[key]).apply(owner, given)
    } else if ('set' in request && look) {
      args[0][decoder.key(request.set)] = args[1]
    } else if (request.this) {
      value = itemOf(lent, request.of).apply(args[0], args.slice(1))
    } else {
      const target = 'of' in request ? itemOf(lent, request.of) : look(request.name)
      value = request.heir && look ? madeHeir(target, args[0], args.slice(1)) : request.construct && look ? Reflect.construct(target, args) : 'args' in request ? target(...args) : target
    }
  } catch (error) { [kind, value] = ['threw', error] }
  if (!look || isNested || !(value instanceof Promise) || kind !== 'value') return [finish(), undefined]
  const later = promises.unlessAwaited(value.then(x => ['promise', x], x => ['rejected', x]))
  return [undefined, later.then(known => { if (known) [kind, value] = known; return finish() })]
}

function described(kind, value, objects, before, frozen) {
  const encoder = new Encoder(objects, asksByName), item = encoder.item(value), changed = []
  const last = [] // what is described here although it has a number already
  objects.forEach((x, n) => {
    const now = contents(x)
    if (now && (!areSame(now, before[n]) || frozen[n] !== Object.isFrozen(x))) last.push([n, encoder.describe(x)])
  })
  for (const [x, before] of described_) { // what the tests hold a mirror of and has changed, or may have
    const now = held(x)
    if (objects.includes(x) || !areSame(now, before)) encoder.renew(x)
  }
  encoder.finish()
  for (const [n, node] of last) changed.push([n, encoder.nodes.push(node) - 1])
  return { kind, value: item, changed, nodes: encoder.nodes, ...(!asksByName && promises.isBusy() && { busy: 1 }) }
}

// The candidate's side: `look` gives the value of a name in the candidate's scope.
async function serve(look) {
  lookUp = look
  send({ ready: 1 })
  for (;;) {
    const [now, later] = answered(receive(), look)
    send(now || await later)
  }
}

// The tests' side: the candidate's function, or its plain value.
function remote(name) {
  asksByName = true
  promises.asks(ask)
  const value = ask({ name })
  if (value !== null && ['object', 'function'].includes(typeof value)) constructed.add(value)
  return value
}

// What the tests' text replaces of the console: the candidate's writes there, too.
function lendConsole(text) {
  const found = CONSOLE.filter(k => new RegExp(`\\b(?:console|stdout)\\s*(?:\\.\\s*${k}|\\[\\s*['"]${k}['"]\\s*\\])\\s*=(?!=)|\\b(?:console|stdout)\\s*,\\s*['"]${k}['"]`).test(text))
  if (found.length) ask({ consoles: found }, [])
}

module.exports = { lendConsole, serve, remote, receive }
