// Runs one lifecycle script of one package as `npm install` (or `yarn install`) runs it: npm's own code makes the
// environment, the shell and the working directory, so that the script sees an ordinary install.
//
//   node lifecycle.js MANAGER COMMAND EVENT FOLDER     (from the project's folder; FOLDER relative to it)
//
// MANAGER is npm, or another with its version: yarn/1.22.22, pnpm/9.15.0
//
// Exit code: the script's own; 128 + N where signal N ended it; 97 where npm could not be set up; 98 where the
// script is gone from package.json by now.
'use strict'
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const fsPromises = require('node:fs/promises')
const os = require('node:os')
const path = require('node:path')

const [manager, command, event, folder] = process.argv.splice(2, 4, process.argv[3])
const TAIL = 16 << 10

function onPath (name) {
  const places = (process.env.PATH || '').split(path.delimiter).map(dir => path.join(dir, name))
  const found = places.find(file => fs.existsSync(file))
  if (!found) throw new Error(`no ${name} on PATH`)
  return found
}

// npm beside this very node: a package may have planted another one on PATH.
const beside = path.join(path.dirname(process.execPath), 'npm')
const npmCli = fs.realpathSync(fs.existsSync(beside) ? beside : onPath('npm'))
const npmRoot = path.dirname(path.dirname(npmCli))
const fromNpm = name => require(require.resolve(name, { paths: [npmRoot] }))

// Settings that a package wrote since the fetch (node-options, script-shell, node-gyp, ...) would have its code run in
// the scripts of others. Of the files that packages can write, npm is shown the lines that were there: the
// plan names them by digests, in a variable that no script sees (ecosystems/npm/settings.py).
function settingsAsFetched () {
  const listed = process.env.NPM_SETTINGS_KEPT
  delete process.env.NPM_SETTINGS_KEPT
  if (listed === undefined) return
  const digests = new Set(listed.split(','))
  const wasThere = line => digests.has(createHash('sha256').update(line).digest('hex').slice(0, 16))
  const home = `${path.resolve(os.homedir())}/`
  const isSettings = file => typeof file === 'string' && /(^|[/])[.]?npmrc$/.test(file) && path.resolve(file).startsWith(home)
  const keep = (file, data) => isSettings(file) ? String(data).split(/[\r\n]+/).filter(wasThere).join('\n') : data
  const { readFile } = fsPromises
  fsPromises.readFile = async (file, ...rest) => keep(file, await readFile(file, ...rest))
  const ofOlder = fs.readFile // npm 7 and 8
  fs.readFile = (file, ...rest) => {
    const done = rest.pop()
    return ofOlder(file, ...rest, (error, data) => error ? done(error) : done(null, keep(file, data)))
  }
}

// The facts that npm's own tree builder puts into the environment, from the hidden lock file that it left.
function lockEntry () {
  try {
    const lock = JSON.parse(fs.readFileSync('node_modules/.package-lock.json', 'utf8'))
    return lock.packages[folder] || {}
  } catch {
    return {}
  }
}

function treeEnvironment () {
  const { resolved, integrity, optional, dev, peer, devOptional } = lockEntry()
  const flag = value => (value ? '1' : '')
  const from = resolved && resolved.startsWith('file:') ? `file:${path.resolve(resolved.slice(5))}` : resolved
  return {
    npm_package_resolved: from,
    npm_package_integrity: integrity,
    npm_package_json: path.resolve(folder, 'package.json'),
    npm_package_optional: flag(optional),
    npm_package_dev: flag(dev),
    npm_package_peer: flag(peer),
    npm_package_dev_optional: flag(devOptional && !dev && !optional)
  }
}

// `other` is what the others call themselves in the user agent, with their version: yarn/1.22.22
function asOther (other) {
  const [name] = other.split('/')
  process.env.npm_config_user_agent = `${other} npm/? node/${process.version} linux ${process.arch}`
  delete process.env.npm_command
  let cli = `/usr/local/bin/${name}`
  try { cli = fs.realpathSync(onPath(name)) } catch {}
  process.env.npm_execpath = cli
  if (other.startsWith('yarn/1.')) {
    process.env.YARN_WRAP_OUTPUT = 'false'
    process.env.npm_config_argv = JSON.stringify({ remain: [], cooked: [command], original: [command] })
  }
  if (name === 'pnpm') process.env.npm_command = command
  process.title = `node ${cli} ${command}`
}

function isGone () {
  try {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8').replace(/^\uFEFF/, ''))
    const implied = event === 'install' && fs.existsSync(path.join(folder, 'binding.gyp'))
    return !implied && !(scripts && scripts[event])
  } catch {
    return true
  }
}

async function main () {
  settingsAsFetched()
  if (isGone()) return 98
  // Where npm finds its own place; it sets the title from the arguments.
  process.argv[1] = require.main.filename = npmCli
  process.title = 'npm'
  const Npm = require(path.join(npmRoot, 'lib/npm.js'))
  const npm = new Npm()
  await npm.load()
  process.env.npm_command = command
  try { process.env._ = onPath(manager.split('/')[0]) } catch {} // what a shell would have set
  if (manager !== 'npm') asOther(manager)
  const isRoot = folder === '.'
  const scriptShell = npm.config.get('script-shell') || undefined
  const options = isRoot
    ? { path: process.cwd(), args: [], scriptShell, stdio: 'inherit', event }
    : { path: path.resolve(folder), scriptShell, stdio: 'pipe', event, env: treeEnvironment() }
  const done = await fromNpm('@npmcli/run-script')(options).catch(error => error)
  for (const [stream, text] of [[1, done.stdout], [2, done.stderr]]) {
    if (text && text.length) fs.writeSync(stream, text.slice(-TAIL))
  }
  if (done.signal) return 128 + os.constants.signals[done.signal]
  if (done instanceof Error && typeof done.code !== 'number') throw done
  return done.code || 0
}

main().then(code => process.exit(code), error => {
  fs.writeSync(2, `${error && error.stack}\n`)
  process.exit(97)
})
