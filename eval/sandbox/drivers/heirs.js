// Classes of the tests that extend one of the candidate's: an object of one is made over there, and what the tests wrote
// of its methods stays here and is lent like a function.
'use strict'
const ofTests = new WeakSet(), inherited = new WeakMap()

// The methods that classes of the tests between two prototypes have: the candidate's own code calls these.
function addedMethods(from, to) {
  const found = {}
  for (let p = from; p !== null && p !== to; p = Object.getPrototypeOf(p)) {
    for (const k of Object.getOwnPropertyNames(p)) {
      const f = Object.getOwnPropertyDescriptor(p, k).value
      if (k !== 'constructor' && typeof f === 'function' && !Object.hasOwn(found, k)) { found[k] = f; ofTests.add(f) }
    }
  }
  return found
}

// The candidate's side: an object of a class whose methods are in part the tests'.
function madeHeir(target, methods, args) {
  const heir = function () {}
  heir.prototype = Object.create(target.prototype)
  for (const [k, f] of Object.entries(methods)) {
    if (typeof f === 'function') Object.defineProperty(heir.prototype, k, { value: f, writable: true, configurable: true })
  }
  inherited.set(heir.prototype, target.prototype)
  return Reflect.construct(target, args, heir)
}

module.exports = { addedMethods, inherited, madeHeir, ofTests }
