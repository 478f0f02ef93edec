// Tests that are data: each call is made twice, and a letter is written for each. Promises are awaited.
function wavecoderSame(a, b) {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? a === b : Number.isSafeInteger(b) && a === BigInt(b)
  if (typeof b === 'bigint') return typeof a === 'number' && a === Number(b) // as near as a number comes to it
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return a === b // 3000000001 is near 3000000000, and wrong
    return a === b || Math.abs(a - b) <= Math.max(1e-12, 1e-9 * Math.abs(b))
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b || (a === undefined && b === null)
  if (a instanceof Set) {
    if (!Array.isArray(b) || a.size !== b.length) return false
    const left = [...a]
    return b.every(x => {
      const place = left.findIndex(y => wavecoderSame(y, x))
      return place >= 0 && left.splice(place, 1).length === 1
    })
  }
  if (a instanceof Map) a = Object.fromEntries([...a].map(([k, v]) => [String(k), v]))
  if (Array.isArray(b)) {
    if (ArrayBuffer.isView(a) && !(a instanceof DataView)) a = Array.from(a)
    else if (!Array.isArray(a) && typeof a.next === 'function' && typeof a[Symbol.iterator] === 'function') a = wavecoderFirst(a, b.length + 1)
    return Array.isArray(a) && a.length === b.length && b.every((x, i) => wavecoderSame(a[i], x))
  }
  if (Array.isArray(a)) return false
  const names = Object.keys(b)
  return Object.keys(a).length === names.length && names.every(x => x in a && wavecoderSame(a[x], b[x]))
}
function wavecoderFirst(steps, most) {
  const found = []
  for (const step of steps) if (found.push(step) === most) break
  return found
}
let wavecoderMoved = false
function wavecoderKept(args, given) {
  if (!require('util').isDeepStrictEqual(args, given)) wavecoderMoved = true
}
async function wavecoderRun(place, test) {
  let letter = 'E'
  wavecoderMoved = false
  try { letter = (await test()) ? ((await test()) ? (wavecoderMoved ? 'M' : 'P') : 'V') : 'F' } catch (error) { wavecoderTell(error) }
  require('fs').writeSync(1, '\nWAVECODER_MARK ' + place + ' ' + letter + '\n')
}
function wavecoderTell(error) {
  try {
    const text = (error.name + ': ' + error.message).split(/\s+/).join(' ').slice(0, 120)
    require('fs').writeSync(1, '\nWAVECODER_MARK ! ' + text + '\n')
  } catch (other) {}
}
function wavecoderPlain(x) {
  if (x === null || typeof x === 'boolean' || typeof x === 'string') return x
  if (typeof x === 'number' && Number.isFinite(x)) return x
  if (Array.isArray(x)) return x.map(wavecoderPlain)
  if (typeof x === 'object' && Object.getPrototypeOf(x) === Object.prototype)
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, wavecoderPlain(v)]))
  throw new TypeError('no JSON')
}
function wavecoderNote(place, call) {
  return wavecoderRun(place, async () => {
    const value = wavecoderPlain(await call())
    if (!wavecoderSame(await call(), value)) return false
    require('fs').writeSync(1, '\nWAVECODER_MARK ' + place + ' = ' + JSON.stringify(value) + '\n')
    return true
  })
}
async function wavecoderTests() {
  // WAVECODER_TESTS
}
wavecoderTests()
