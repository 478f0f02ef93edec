// Says on standard error what a program looks for and does not find: a file or folder, a program, or the network.
// What it then does is its own affair: it may throw, or answer something else.
const fs = require('fs')
let told = false
function tell(what) {
  if (told) return
  told = true
  process.stderr.write('\nwavecoder: needs ' + String(what).slice(0, 200).split('\n')[0] + '\n')
}
const ABSENT = new Set(['ENOENT', 'EACCES', 'EPERM', 'EROFS'])
function note(error, path) {
  if (error && ABSENT.has(error.code) && !Number.isInteger(path)) tell(path)
}
// A function takes the place of one, whose name and number of parameters a program may read.
function replace(object, names, made) {
  for (const name of names) {
    const real = object[name]
    if (real) object[name] = Object.defineProperties(made(real), Object.getOwnPropertyDescriptors(real))
  }
}
const noting = real => function (path, ...rest) {
  const back = rest.at(-1)
  if (typeof back === 'function') {
    rest[rest.length - 1] = function (error, ...values) {
      note(error, path)
      return Reflect.apply(back, this, [error, ...values])
    }
  }
  try {
    const found = Reflect.apply(real, this, [path, ...rest])
    if (found instanceof Promise) found.catch(error => note(error, path))
    return found
  } catch (error) {
    note(error, path)
    throw error
  }
}
const LOOKS = ['readFile', 'open', 'readdir', 'stat', 'lstat', 'access', 'opendir', 'readlink', 'realpath',
  'writeFile', 'appendFile', 'mkdir', 'copyFile']
replace(fs, LOOKS.flatMap(name => [name, name + 'Sync']), noting)
replace(fs.promises, LOOKS, noting)
replace(fs, ['existsSync'], real => path => real(path) || (typeof path === 'string' && tell(path), false))
replace(globalThis, ['fetch'], real => (...args) => {
  const found = real(...args)
  found.catch(() => tell('the network'))
  return found
})
const naming = real => function (command, ...rest) {
  tell(String(command).split(' ')[0])
  return Reflect.apply(real, this, [command, ...rest])
}
const connecting = real => function (...args) {
  tell('the network')
  return Reflect.apply(real, this, args)
}
const COMMANDS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']
const NETWORK = new Set(['net', 'http', 'https', 'http2', 'tls', 'dns', 'dns/promises'])
const seen = new Set()
// A library module as a program may have it: those of the network and of commands are made to tell, once.
exports.noted = (name, module) => {
  const bare = name.replace(/^node:/, '')
  const kind = NETWORK.has(bare) ? 'network' : bare
  if (seen.has(kind)) return module
  seen.add(kind)
  if (kind === 'network') {
    replace(require('net').Socket.prototype, ['connect'], connecting)
    replace(require('dns'), ['lookup', 'resolve', 'resolve4', 'resolve6'], connecting)
    replace(require('dns').promises, ['lookup', 'resolve', 'resolve4', 'resolve6'], connecting)
  }
  if (kind === 'child_process') replace(module, COMMANDS, naming)
  return module
}
