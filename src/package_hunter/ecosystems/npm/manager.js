#!/usr/bin/env node
// pnpm, or yarn 2 and later, for scripts that call it by name: on PATH, as a developer's machine has it. It runs the one
// that the fetch took out of the registry. It gets no settings file of the user: scripts run while foreign code may lie
// in that folder, and nobody could tell then who reads the token in it.
'use strict'
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const name = path.basename(process.argv[1])
const packages = { pnpm: 'pnpm', yarn: '@yarnpkg/cli-dist' }
const store = path.join(os.homedir(), '.npm/_npx')

function programs () {
  const found = []
  for (const folder of fs.existsSync(store) ? fs.readdirSync(store).slice(0, 100) : []) {
    const home = path.join(store, folder, 'node_modules', packages[name])
    try {
      const { bin } = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'))
      found.push(path.join(home, typeof bin === 'string' ? bin : bin[name]))
    } catch {} // another program's folder
  }
  return found.filter(file => fs.existsSync(file))
}

const [file] = programs()
if (!file) {
  console.error(`sh: 1: ${name}: not found`)
  process.exit(127)
}
if (name === 'yarn') {
  // as the fetch was made; argv[1] stays: yarn writes it into the wrapper of itself that scripts below it find
  Object.assign(process.env, {
    YARN_RC_FILENAME: '.yarnrc.of-nobody.yml', // read nowhere: the user's and the project's are left out
    YARN_IGNORE_PATH: '1',
    YARN_NODE_LINKER: 'node-modules',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_GLOBAL_CACHE: '1'
  })
} else {
  process.env.npm_config_userconfig = '/usr/share/npm/npmrc'
  process.env.npm_config_manage_package_manager_versions = 'false'
  process.argv[1] = file
}
require(file)
