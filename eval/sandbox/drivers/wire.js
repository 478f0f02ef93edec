// Calls between the tests' process and the candidate's, over descriptor 4: JSON, blocking.
// A value is a scalar, { at: n } for the n-th node of its message, or { at: -1 - n } for the n-th object of the request
// that the message answers: what is one object on one side is one object on the other. Functions stay where they are
// and are called from the other side. Nothing else of a class crosses than its own properties.
'use strict'
const fs = require('fs')
const PEER = 4, GONE = 90, MAX_MESSAGE_BYTES = 64 * 2 ** 20
const ERRORS = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }
const BYTES = { Buffer, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array }

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

const lent = [], borrowed = new Map(), steps = new WeakMap()
let asksByName = false // whether this is the tests' side

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
    if (typeof x === 'symbol') throw new TypeError('a symbol is no plain data')
    if (x instanceof String || x instanceof Number || x instanceof Boolean) return this.item(x.valueOf())
    if (!this.known.has(x)) this.known.set(x, { at: this.objects.push(x) - 1 })
    return this.known.get(x)
  }

  finish() {
    while (this.nodes.length < this.objects.length) this.nodes.push(this.describe(this.objects[this.nodes.length]))
  }

  describe(x) {
    const entries = () => Object.entries(x).map(([k, v]) => {
      if (typeof v === 'function' && !this.methods) throw new TypeError('an object with methods is no plain data')
      return [k, this.item(v)]
    })
    if (typeof x === 'function') return borrowed.has(x) ? ['yours', borrowed.get(x)] : ['function', lend(x), x.name, x.length]
    if (Array.isArray(x)) return ['array', Array.from({ length: x.length }, (_, n) => (n in x ? this.item(x[n]) : { hole: 0 }))]
    if (x instanceof Map) return ['map', Array.from(x, pair => pair.map(y => this.item(y)))]
    if (x instanceof Set) return ['set', Array.from(x, y => this.item(y))]
    if (typeof x.next === 'function' && typeof x[Symbol.iterator] === 'function') return ['iterator', lend(stepOf(x))]
    if (x instanceof Date) return ['date', this.item(x.getTime())]
    if (x instanceof RegExp) return ['regexp', x.source, x.flags, x.lastIndex]
    if (x instanceof Error) return ['error', nearest(x), String(x.name), String(x.message), entries()]
    if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return ['bytes', Buffer.isBuffer(x) ? 'Buffer' : x.constructor.name, Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('base64')]
    return [Object.getPrototypeOf(x) === null ? 'bare' : 'object', entries()]
  }
}

function nearest(error) {
  return Object.keys(ERRORS).reverse().find(name => error instanceof ERRORS[name])
}

// A generator's step; what it goes through stays where it is.
function stepOf(x) {
  if (!steps.has(x)) steps.set(x, (...sent) => x.next(...sent))
  return steps.get(x)
}

function lend(f) {
  const known = lent.indexOf(f)
  return known < 0 ? lent.push(f) - 1 : known
}

class Decoder {
  constructor(nodes, given = []) {
    this.given = given
    this.objects = nodes.map(make)
    nodes.forEach((node, n) => this.fill(this.objects[n], node))
  }

  value(x) {
    if (x === null || typeof x !== 'object') return x
    const [[name, content]] = Object.entries(x)
    switch (name) {
      case 'at': {
        const found = content < 0 ? this.given[-1 - content] : this.objects[content]
        if (found === undefined) throw new TypeError('no such object')
        return found
      }
      case 'number': return Number(content)
      case 'undefined': return undefined
      case 'bigint': return BigInt(content)
    }
    throw new TypeError('unknown tag')
  }

  fill(made, [kind, content, , , more]) {
    if (kind === 'array') content.forEach((x, n) => { if (x && typeof x === 'object' && 'hole' in x) made.length = n + 1; else made[n] = this.value(x) })
    else if (kind === 'map') for (const [k, v] of content) made.set(this.value(k), this.value(v))
    else if (kind === 'set') for (const x of content) made.add(this.value(x))
    else if (kind === 'object' || kind === 'bare') this.define(made, content)
    else if (kind === 'error') this.define(made, more)
  }

  define(made, entries) {
    for (const [k, v] of entries) Object.defineProperty(made, String(k), { value: this.value(v), writable: true, enumerable: true, configurable: true })
  }
}

function make([kind, first, second, third]) {
  switch (kind) {
    case 'array': return []
    case 'map': return new Map()
    case 'set': return new Set()
    case 'object': return {}
    case 'bare': return Object.create(null)
    case 'date': return new Date(first === null || typeof first !== 'object' ? first : NaN)
    case 'regexp': return Object.assign(new RegExp(first, second), { lastIndex: third })
    case 'yours': return lent[first]
    case 'function': return borrow(first, String(second), third)
    case 'iterator': return { next: borrow(first, 'next', 0), [Symbol.iterator]() { return this } }
    case 'error': {
      const error = new (Object.hasOwn(ERRORS, first) ? ERRORS[first] : Error)(third)
      if (error.name !== second) Object.defineProperty(error, 'name', { value: second, writable: true, configurable: true })
      return error
    }
    case 'bytes': {
      const bytes = Buffer.from(first === 'Buffer' || Object.hasOwn(BYTES, first) ? second : '', 'base64')
      return first === 'Buffer' ? bytes : new BYTES[first](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    }
  }
  throw new TypeError('unknown kind')
}

function borrow(of, name, length) {
  for (const [f, number] of borrowed) if (number === of) return f
  const made = (...args) => ask({ of }, args)
  Object.defineProperties(made, { name: { value: name, configurable: true }, length: { value: length, configurable: true } })
  borrowed.set(made, of)
  return made
}

// What something changeable holds, to be compared later; undefined of anything else.
function contents(x) {
  if (Array.isArray(x)) return Array.from({ length: x.length }, (_, n) => (n in x ? x[n] : contents))
  if (x instanceof Map) return [...x].flat(1)
  if (x instanceof Set) return [...x]
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return Array.from(x)
  if (x === null || typeof x !== 'object' || x instanceof Date || x instanceof RegExp) return undefined
  return Object.entries(x).flat(1)
}

function replace(old, made) {
  if (Array.isArray(old) && Array.isArray(made)) { old.length = 0; old.length = made.length; for (const n of Object.keys(made)) old[n] = made[n] }
  else if (old instanceof Map && made instanceof Map) { old.clear(); made.forEach((v, k) => old.set(k, v)) }
  else if (old instanceof Set && made instanceof Set) { old.clear(); made.forEach(v => old.add(v)) }
  else if (ArrayBuffer.isView(old) && ArrayBuffer.isView(made)) old.set(made)
  else {
    for (const k of Object.keys(old)) delete old[k]
    for (const k of Object.keys(made)) Object.defineProperty(old, k, { value: made[k], writable: true, enumerable: true, configurable: true })
  }
}

// A call of the other side's: the value, or what it throws; what the call changed in its arguments is changed here.
function ask(request, args) {
  const encoder = new Encoder([], asksByName)
  if (args) request.args = args.map(x => encoder.item(x))
  encoder.finish()
  send({ ...request, nodes: encoder.nodes })
  let answer = receive()
  while (!('value' in answer)) { // a function that we lent is called meanwhile
    if (!('of' in answer)) gone()
    send(answered(answer)[0])
    answer = receive()
  }
  let value
  try {
    const decoder = new Decoder(answer.nodes, encoder.objects)
    for (const [place, node] of answer.changed) replace(encoder.objects[place], decoder.objects[node])
    value = decoder.value(answer.value)
  } catch (error) { gone() }
  if (answer.kind === 'threw') throw value
  return answer.kind === 'promise' ? Promise.resolve(value) : answer.kind === 'rejected' ? Promise.reject(value) : value
}

// The answer to a request, and the promise that its value is.
function answered(request, look) {
  let objects = [], kind = 'value', value, before = []
  try {
    const decoder = new Decoder(request.nodes)
    objects = decoder.objects
    before = objects.map(contents)
    const target = 'of' in request ? lent[request.of] : look(request.name)
    value = 'args' in request ? target(...request.args.map(x => decoder.value(x))) : target
  } catch (error) { [kind, value] = ['threw', error] }
  const finish = () => {
    for (;;) {
      try { return described(kind, value, objects, before) } catch (error) { [kind, value] = ['threw', new TypeError(String(error && error.message))] }
    }
  }
  const waited = value instanceof Promise && kind === 'value'
    ? value.then(x => { [kind, value] = ['promise', x] }, x => { [kind, value] = ['rejected', x] }).then(finish) : undefined
  return waited && look ? [undefined, waited] : [finish(), undefined]
}

function described(kind, value, objects, before) {
  const encoder = new Encoder(objects, asksByName), item = encoder.item(value), changed = []
  const last = [] // what is described here although it has a number already
  objects.forEach((x, n) => {
    const now = contents(x)
    if (now && (now.length !== before[n].length || now.some((y, m) => !Object.is(y, before[n][m])))) last.push([n, encoder.describe(x)])
  })
  encoder.finish()
  for (const [n, node] of last) changed.push([n, encoder.nodes.push(node) - 1])
  return { kind, value: item, changed, nodes: encoder.nodes }
}

// The candidate's side: `look` gives the value of a name in the candidate's scope.
async function serve(look) {
  send({ ready: 1 })
  for (;;) {
    const [now, later] = answered(receive(), look)
    send(now || await later)
  }
}

// The tests' side: the candidate's function, or its plain value.
function remote(name) {
  asksByName = true
  return ask({ name })
}

module.exports = { serve, remote, receive }
