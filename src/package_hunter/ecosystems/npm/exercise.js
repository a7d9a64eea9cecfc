// Loads a module and calls what it exports, as a program that uses it might: a trigger inside an API function fires
// only so. Each call has plausible arguments and its errors are swallowed; the whole ends after BUDGET ms.
//
//   node exercise.js NAME BUDGET
'use strict'
const { createRequire } = require('node:module')
const { pathToFileURL } = require('node:url')

const [name, budget] = process.argv.splice(2, 2)
const from = createRequire(`${process.cwd()}/index.js`)
const end = Date.now() + Number(budget)
const MAX_CALLS = 500

// Read from the environment as an application would: keys and tokens are what such code is after. They are never
// given as what could be an address, and what is an address is the box's own: an honest client goes where it is sent.
const secret = process.env.NPM_TOKEN || process.env.GITHUB_TOKEN || 'secret'
const argumentSets = [
  [],
  ['hello world', 'utf8'],
  [{ url: 'http://127.0.0.1:9/', method: 'POST', name: 'a', value: 1 }],
  [{ privateKey: secret, token: secret, password: secret }, () => {}],
  [[1, 2, 3], x => x],
  [42, 7],
  [Buffer.from(secret), Buffer.alloc(32, 7)]
]

let calls = 0
const settle = value => { if (value && typeof value.then === 'function') value.then(() => {}, () => {}) }

function use (value, self, depth, seen) {
  if (value === null || depth > 4 || seen.has(value) || calls > MAX_CALLS || Date.now() > end) return
  if (typeof value !== 'function' && typeof value !== 'object') return
  seen.add(value)
  if (typeof value === 'function') {
    for (const list of argumentSets) {
      if (++calls > MAX_CALLS || Date.now() > end) return
      try { settle(value.apply(self, list)) } catch {}
    }
    try {
      if (/^class\b/.test(Function.prototype.toString.call(value)) || Object.keys(value.prototype || {}).length) {
        use(new value(...argumentSets[2]), self, depth + 1, seen)
      }
    } catch {}
  }
  let keys = []
  try {
    keys = Object.getOwnPropertyNames(value)
    const up = Object.getPrototypeOf(value)
    if (up && up !== Object.prototype && up !== Function.prototype) keys = keys.concat(Object.getOwnPropertyNames(up))
  } catch {}
  for (const key of keys.slice(0, 60)) {
    if (['constructor', 'caller', 'callee', 'arguments', 'prototype', '__proto__'].includes(key)) continue
    try { use(value[key], value, depth + 1, seen) } catch {}
  }
}

async function load () {
  try {
    return from(name)
  } catch (error) {
    if (!/ERR_REQUIRE|ERR_PACKAGE_PATH/.test(error.code || '')) throw error
    return import(pathToFileURL(from.resolve(name)).href).catch(() => import(name))
  }
}

process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})
process.exit = () => { throw new Error('exit') }
load().then(found => use(found, globalThis, 0, new Set()), () => { process.exitCode = 1 })
setTimeout(() => process.reallyExit(process.exitCode || 0), Number(budget)).unref()
