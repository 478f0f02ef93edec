// The tests' process: the benchmark's tests as a script, where console.assert counts and the candidate's names are calls.
'use strict'
const fs = require('fs'), vm = require('vm')
const wire = require('./wire.js'), { isWaiting } = require('./promises.js')
const FAILED = 91, names = JSON.parse(fs.readFileSync('names.json', 'utf8'))
let failed = 0
console.assert = (holds, ...message) => {
  if (holds) return
  failed += 1
  console.error('Assertion failed', ...message)
}
globalThis.require = require
wire.receive() // the candidate is defined
for (const name of names.candidate) {
  if (name !== names.entry_point && name in globalThis) continue
  let value
  try { value = wire.remote(name) } catch (error) { continue } // not a name of the candidate's
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
const text = fs.readFileSync('tests.source.js', 'utf8')
wire.lendConsole(text)
process.on('exit', code => { if (code === 0 && (failed || isWaiting())) process.exitCode = FAILED })
process.on('uncaughtException', error => {
  console.error(error)
  process.exit(error && error.name === 'AssertionError' ? FAILED : 1)
})
new vm.Script(text, { filename: 'tests.js' }).runInThisContext()
