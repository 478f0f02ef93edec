// Calls between the tests' process and the candidate's, over descriptor 4: tagged JSON, blocking.
// Only plain data crosses; functions, symbols and objects with methods do not.
'use strict'
const fs = require('fs')
const PEER = 4, GONE = 90, MAX_MESSAGE_BYTES = 64 * 2 ** 20

function encode(x, depth = 0) {
  if (depth > 200) throw new TypeError('nested too deep for plain data')
  const more = y => encode(y, depth + 1)
  if (x === null || typeof x === 'string' || typeof x === 'boolean') return x
  if (typeof x === 'number') return Number.isFinite(x) && !Object.is(x, -0) ? x : { number: Object.is(x, -0) ? '-0' : String(x) }
  if (x === undefined) return { undefined: 0 }
  if (typeof x === 'bigint') return { bigint: String(x) }
  if (Array.isArray(x)) return Array.from(x, more)
  if (x instanceof Map) return { map: Array.from(x, pair => pair.map(more)) }
  if (x instanceof Set) return { set: Array.from(x, more) }
  if (x instanceof Date) return { date: x.getTime() }
  if (x instanceof String || x instanceof Number || x instanceof Boolean) return more(x.valueOf())
  if (typeof x === 'object') return { object: Object.entries(x).map(([k, v]) => [k, more(v)]) }
  throw new TypeError(`a ${typeof x} is no plain data`)
}

function decode(x) {
  if (Array.isArray(x)) return x.map(decode)
  if (x === null || typeof x !== 'object') return x
  const [[name, content]] = Object.entries(x)
  switch (name) {
    case 'number': return Number(content)
    case 'undefined': return undefined
    case 'bigint': return BigInt(content)
    case 'map': return new Map(content.map(pair => pair.map(decode)))
    case 'set': return new Set(content.map(decode))
    case 'date': return new Date(content)
    case 'object': return Object.fromEntries(content.map(([k, v]) => [String(k), decode(v)]))
  }
  throw new TypeError('unknown tag')
}

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

// The candidate's side: `look` gives the value of a name in the candidate's scope.
function serve(look) {
  send({ ready: 1 })
  for (;;) {
    const request = receive()
    try {
      const value = look(request.name)
      if (!('args' in request)) {
        send(typeof value === 'function' ? { function: 1 } : { value: encode(value) })
        continue
      }
      const args = request.args.map(decode)
      const result = encode(value(...args))
      send({ value: result, args: args.map(x => (x !== null && typeof x === 'object' ? encode(x) : 0)) })
    } catch (error) {
      send({ raised: [String(error && error.name), String(error && error.message)] })
    }
  }
}

function replace(old, made) {
  if (Array.isArray(old) && Array.isArray(made)) { old.length = 0; for (const x of made) old.push(x) }
  else if (old instanceof Map && made instanceof Map) { old.clear(); made.forEach((v, k) => old.set(k, v)) }
  else if (old instanceof Set && made instanceof Set) { old.clear(); made.forEach(v => old.add(v)) }
  else if (old !== null && typeof old === 'object' && made !== null && typeof made === 'object') {
    for (const k of Object.keys(old)) delete old[k]
    for (const k of Object.keys(made)) Object.defineProperty(old, k, { value: made[k], writable: true, enumerable: true, configurable: true })
  }
}

function ask(request) {
  send(request)
  const answer = receive()
  if (answer.raised) {
    const error = new Error(String(answer.raised[1]))
    error.name = String(answer.raised[0])
    throw error
  }
  return answer
}

// The tests' side: the candidate's function, or its plain value.
function remote(name) {
  const answer = ask({ name })
  if (!answer.function) return decode(answer.value)
  return (...args) => {
    const before = args.map(x => JSON.stringify(encode(x)))
    const answer = ask({ name, args: before.map(x => JSON.parse(x)) })
    answer.args.forEach((x, n) => {
      if (args[n] !== null && typeof args[n] === 'object' && JSON.stringify(x) !== before[n]) replace(args[n], decode(x))
    })
    return decode(answer.value)
  }
}

module.exports = { serve, remote, receive, encode, decode }
