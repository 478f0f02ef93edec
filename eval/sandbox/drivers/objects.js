// What JavaScript's objects are made of: their own properties, their methods, what they hold. It knows nothing of calls.
'use strict'
const CONTAINERS = { Array, Map, Set }, PROTOTYPES = new Set(Object.values(CONTAINERS).map(kind => kind.prototype))
const ERRORS = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError }

function ownEntries(x) {
  return [...Object.entries(x), ...Object.getOwnPropertySymbols(x).filter(k => Object.prototype.propertyIsEnumerable.call(x, k)).map(k => [k, x[k]])]
}

// What an array holds beside its items: the index and groups of a match, the raw texts of a template.
function beside(x) {
  const extra = ownEntries(x).filter(([k]) => typeof k === 'symbol' || !/^\d+$/.test(k))
  return Object.hasOwn(x, 'raw') && !extra.some(([k]) => k === 'raw') ? [...extra, ['raw', x.raw]] : extra
}

// What an error holds that is not told by its properties: what the getters of its class say, too.
function hidden(x) {
  const told = new Map()
  for (let p = Object.getPrototypeOf(x); p !== null && isOwnClass(p.constructor); p = Object.getPrototypeOf(p)) {
    for (const k of Reflect.ownKeys(p)) if (Object.getOwnPropertyDescriptor(p, k).get && !told.has(k)) told.set(k, x[k])
  }
  const inner = ['cause', 'errors'].filter(k => Object.hasOwn(x, k) && !Object.prototype.propertyIsEnumerable.call(x, k)).map(k => [k, x[k]])
  return [...inner, ...told]
}

// The container of the library's that an object's own class extends, by its name.
function extendedBy(x) {
  const name = Array.isArray(x) ? 'Array' : x instanceof Map ? 'Map' : x instanceof Set ? 'Set' : undefined
  if (name === undefined || Object.getPrototypeOf(x) === CONTAINERS[name].prototype) return undefined
  return isOwnClass(Object.getPrototypeOf(x).constructor) ? name : undefined
}

// The properties of an object that are no items of it.
function properties(x) {
  return Array.isArray(x) ? beside(x) : ownEntries(x)
}

// What an object holds, and what the containers and plain objects hold that it holds.
function held(x, depth = 3, into = []) {
  for (const y of contents(x) ?? []) hold(y, depth, into)
  if (extendedBy(x)) for (const y of properties(x).flat(1)) hold(y, depth, into)
  return into
}

function hold(x, depth, into) {
  into.push(x)
  if (depth === 0 || x === null || typeof x !== 'object') return
  const prototype = Object.getPrototypeOf(x)
  if (PROTOTYPES.has(prototype) || !hasMethods(x)) held(x, depth - 1, into)
}

function areSame(xs, ys) {
  if (xs.length !== ys.length) return false
  for (let n = 0; n < xs.length; n++) if (!Object.is(xs[n], ys[n])) return false
  return true
}

// Make what an object of such a class holds those items; its class may have a `push` or `set` of its own.
function refill(x, items) {
  if (Array.isArray(x)) { x.length = 0; items.forEach((y, n) => { x[n] = y }); x.length = items.length }
  else if (x instanceof Map) { Map.prototype.clear.call(x); for (const [k, v] of items) Map.prototype.set.call(x, k, v) }
  else { Set.prototype.clear.call(x); for (const y of items) Set.prototype.add.call(x, y) }
}

function isClass(x) {
  return isOwnClass(x) && /^class\b/.test(Function.prototype.toString.call(x))
}

function isOwnClass(x) {
  return typeof x === 'function' && Object.hasOwn(x, 'prototype') && !Function.prototype.toString.call(x).includes('[native code]')
}

function hasMethods(x) {
  const prototype = Object.getPrototypeOf(x)
  return (prototype !== null && prototype !== Object.prototype && isOwnClass(prototype.constructor)) || ownEntries(x).some(([, v]) => typeof v === 'function')
}

function methodsOf(prototype) {
  return Reflect.ownKeys(prototype).filter(k => k !== 'constructor' && typeof Object.getOwnPropertyDescriptor(prototype, k).value === 'function')
    .map(k => [k, prototype[k].length])
}

function nearest(error) {
  return Object.keys(ERRORS).reverse().find(name => error instanceof ERRORS[name])
}

// What something changeable holds, to be compared later; undefined of anything else.
function contents(x) {
  if (Array.isArray(x)) return Array.from({ length: x.length }, (_, n) => (n in x ? x[n] : contents))
  if (x instanceof Map) return [...Map.prototype.entries.call(x)].flat(1)
  if (x instanceof Set) return [...Set.prototype.values.call(x)]
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return Array.from(x)
  if (x instanceof Date) return [x.getTime()]
  if (x === null || (typeof x !== 'object' && typeof x !== 'function') || x instanceof RegExp) return undefined
  return ownEntries(x).flat(1)
}

// Make an object hold what another of its kind holds. The tests' objects get no functions of the candidate's.
function replace(old, made, functions) {
  if (old === made) return
  if (kindOf(old) !== kindOf(made)) throw new TypeError('another kind of object')
  if (Array.isArray(old)) { old.length = 0; old.length = made.length; for (const n of Object.keys(made)) old[n] = made[n] }
  else if (old instanceof Map) { old.clear(); made.forEach((v, k) => old.set(k, v)) }
  else if (old instanceof Set) { old.clear(); made.forEach(v => old.add(v)) }
  else if (old instanceof Date) old.setTime(made.getTime())
  else if (ArrayBuffer.isView(old)) old.set(made)
  else {
    const data = x => Object.keys(x).filter(k => functions || typeof x[k] !== 'function')
    for (const k of data(old)) delete old[k]
    for (const k of data(made)) Object.defineProperty(old, k, { value: made[k], writable: true, enumerable: true, configurable: true })
  }
  if (Object.isFrozen(made)) Object.freeze(old)
}

function kindOf(x) {
  return [Array.isArray, ArrayBuffer.isView, y => y instanceof Map, y => y instanceof Set, y => y instanceof Date].findIndex(is => is(x)) + ' ' + typeof x
}

module.exports = { CONTAINERS, ERRORS, areSame, beside, contents, extendedBy, hasMethods, held, properties, refill, hidden, isClass, isOwnClass, methodsOf, nearest, ownEntries, replace }
