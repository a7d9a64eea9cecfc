// Runs a package manager's fetch where some of what the project asks for lies outside of its registries. What cannot
// be had is pointed away for that time, so that all the rest is installed as the lock file has it.
//
//   node elsewhere.js CANDIDATES MANAGER COMMAND...     (in the project's folder)
//
// CANDIDATES is a JSON file: "candidates" [{name, version, from, requires: {name: range}}] of what lies elsewhere,
// "manager", "folders" of further manifests, "allowed" hosts that are known to be fetched from. Each other is asked
// for once, as the manager would. What does not answer gets an empty package of the same name, version and
// needs in its place; afterwards that is removed again, and manifests and lock files are as they were.
'use strict'
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')

const [list, ...command] = process.argv.slice(2)
const { manager, candidates, folders, allowed } = JSON.parse(fs.readFileSync(list, 'utf8'))
const LOCKS = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml']
const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']
const MOST = 5000
const AT_ONCE = 8
const SECONDS = 20
const npmRoot = path.join(path.dirname(process.execPath), '../lib/node_modules/npm')
// as npm calls itself: a manager that is refused is told so, and gets no decoy for a dependency
const AGENT = `npm/${require(path.join(npmRoot, 'package.json')).version} node/${process.version} linux ${process.arch}`
const fromNpm = name => require(require.resolve(name, { paths: [npmRoot] }))

// Where a dependency would be asked for first, as npm's own code reads it; undefined where that is no web address.
function address ({ name, from }) {
  let spec
  try { spec = fromNpm('npm-package-arg').resolve(name, from) } catch { return undefined }
  if (spec.type === 'remote') return spec.fetchSpec
  if (spec.type !== 'git') return undefined
  const web = spec.hosted
    ? spec.hosted.https({ noCommittish: true, noGitPlus: true })
    : String(spec.fetchSpec).replace(/^(?:git\+)?(?:ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\//, 'https://$1/')
  return /^https?:\/\//.test(web || '') ? `${web}/info/refs?service=git-upload-pack` : undefined
}

function isThere (url) {
  return new Promise(resolve => {
    let client
    try { client = new URL(url).protocol === 'http:' ? http : https } catch { return resolve(false) }
    const options = { method: 'HEAD', timeout: SECONDS * 1000, headers: { 'user-agent': AGENT } }
    const asked = client.request(url, options, answer => {
      answer.resume()
      resolve(answer.statusCode < 400)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

async function cannotBeHad () {
  const found = []
  const queue = candidates.slice(0, MOST)
  const work = async () => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const url = address(one)
      const known = url !== undefined && URL.canParse(url) && allowed.includes(new URL(url).hostname)
      if (url === undefined || !(known || await isThere(url))) found.push(one)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}

// An archive of an empty package.
function standIn (one, folder, number) {
  const inner = path.join(folder, `${number}`, 'package')
  fs.mkdirSync(inner, { recursive: true })
  const manifest = { name: one.name, version: one.version || '0.0.0', dependencies: one.requires || {} }
  fs.writeFileSync(path.join(inner, 'package.json'), JSON.stringify(manifest))
  const file = path.join(folder, `${number}.tgz`)
  fromNpm('tar').c({ gzip: true, sync: true, portable: true, file, cwd: path.dirname(inner) }, ['package'])
  return `file:${file}`
}

const LOCAL = /^(?:file|link|workspace|portal):/

function pointAway (manifest, stood, isRoot) {
  const local = new Set()
  for (const kind of KINDS) {
    for (const name of Object.keys(manifest[kind] || {})) {
      if (LOCAL.test(manifest[kind][name])) local.add(name)
      else if (stood.has(name)) manifest[kind][name] = stood.get(name)
    }
  }
  if (!isRoot) return
  const held = Object.fromEntries([...stood].filter(([name]) => !local.has(name)))
  if (manager === 'pnpm') manifest.pnpm = { ...manifest.pnpm, overrides: { ...(manifest.pnpm || {}).overrides, ...held } }
  else if (manager === 'yarn') manifest.resolutions = { ...manifest.resolutions, ...held }
  else manifest.overrides = { ...manifest.overrides, ...held }
}

// Removes what stood in, wherever the manager put it.
function remove (names, base, depth = 0) {
  if (depth > 20) return
  for (const name of names) fs.rmSync(path.join(base, name), { recursive: true, force: true })
  let inner = []
  try { inner = fs.readdirSync(base, { withFileTypes: true }) } catch { return }
  const below = inner.flatMap(item => {
    if (!item.isDirectory()) return []
    if (item.name === '.pnpm' || !item.name.startsWith('@')) return [item.name]
    return fs.readdirSync(path.join(base, item.name)).map(name => path.join(item.name, name))
  })
  for (const name of below) {
    if (name === '.pnpm') {
      for (const one of fs.readdirSync(path.join(base, name))) remove(names, path.join(base, name, one, 'node_modules'), depth + 1)
    } else remove(names, path.join(base, name, 'node_modules'), depth + 1)
  }
}

function asItWas (files) {
  return files.map(file => {
    try { return [file, fs.readFileSync(file)] } catch { return [file, undefined] }
  })
}

function run (argv) {
  const done = spawnSync(argv[0], argv.slice(1), { stdio: 'inherit' })
  if (done.error) throw done.error
  return done.signal ? 128 + os.constants.signals[done.signal] : done.status
}

async function main () {
  const missing = await cannotBeHad()
  if (!missing.length) return run(command)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'npm-'))
  const stood = new Map(missing.map((one, number) => [one.name, standIn(one, folder, number)]))
  const manifests = ['.', ...folders].map(one => path.join(one, 'package.json'))
  const before = asItWas([...manifests, ...LOCKS])
  try {
    for (const file of manifests) {
      const manifest = JSON.parse(fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
      pointAway(manifest, stood, file === 'package.json')
      fs.writeFileSync(file, JSON.stringify(manifest, null, 2))
    }
    // the lock file no longer fits, by intention: the manager keeps what of it still does
    return run(command.map((word, at) => (manager === 'npm' && at === 1 && word === 'ci' ? 'install' : word)))
  } finally {
    for (const one of ['.', ...folders]) remove([...stood.keys()], path.join(one, 'node_modules'))
    for (const [file, content] of before) content === undefined ? fs.rmSync(file, { force: true }) : fs.writeFileSync(file, content)
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

main().then(code => { process.exitCode = code }, error => {
  console.error(`npm error ${error.message}`)
  process.exitCode = 1
})
