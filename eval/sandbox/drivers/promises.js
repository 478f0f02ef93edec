// Promises inside of what crosses: each stays where it is, and the other side holds one of its own that is settled later.
// Neither side can look at its promises while it waits for the other. So the tests' side asks again and again, in turns
// of its own, what was settled over there meanwhile, as long as it waits for something or timers run over there.
'use strict'
const IDLE_TURNS = 50
const waiting = new Map() // number of the other side's promise → how this side's is settled
const told = new WeakSet(), settled = [] // of this side's: [number, 'value' or 'threw', what it is]
const thenables = new Set() // of the other side's, which have called nothing back yet
let asked = false, idle = 0, ask // how the tests' side asks; the candidate's has none

function lendPromise(x, number) {
  const add = (kind, value) => { settled.push([number, kind, value]); if (ask) askSoon(true) }
  if (!told.has(x)) x.then(value => add('value', value), error => add('threw', error))
  told.add(x)
  return number
}

function borrowPromise(number) {
  return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }))
}

function settle(list) {
  for (const [number, kind, value] of list) {
    const mine = waiting.get(number)
    waiting.delete(number)
    if (mine) kind === 'threw' ? mine.reject(value) : mine.resolve(value)
  }
}

function asks(how) { ask = how }

// The tests' side, after each answer: ask again soon while anything may still come.
function askSoon(busy) {
  if (busy) idle = 0
  if (asked || !ask || !(busy || (waiting.size && idle++ < IDLE_TURNS))) return
  asked = true
  setTimeout(() => {
    asked = false
    settle(ask({ settle: 1 }, [settled.splice(0)]))
  }, 1)
}

// The candidate's side: what was settled here by now.
async function answerSettle(list) {
  settle(list)
  await new Promise(resolve => setTimeout(resolve, 1))
  return settled.splice(0)
}

// Whether anything may still come by itself.
function isBusy() { return settled.length > 0 || process.getActiveResourcesInfo().some(x => x === 'Timeout' || x === 'Immediate') }

// What a promise becomes, or nothing: one of the other side's is waited for first.
async function unlessAwaited(later) {
  for (;;) {
    let timer
    const tick = new Promise(resolve => { timer = setTimeout(resolve, 1) })
    const first = await Promise.race([later, tick])
    clearTimeout(timer)
    if (first || waiting.size) return first
  }
}

// Of the tests' side: what is given to the `then` of an object of the other side's, which has to call one of them.
function awaited(given) {
  if (!given.some(x => typeof x === 'function')) return given
  const one = {}
  thenables.add(one)
  return given.map(f => (typeof f === 'function' ? (...args) => { thenables.delete(one); return f(...args) } : f))
}

// What nobody settled: tests that wait for it ran to no end, and would end well.
function isWaiting() { return waiting.size > 0 || thenables.size > 0 }

module.exports = { answerSettle, asks, askSoon, awaited, isWaiting, borrowPromise, isBusy, lendPromise, unlessAwaited }
