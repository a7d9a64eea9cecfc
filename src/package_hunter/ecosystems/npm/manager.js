#!/usr/bin/env node
// pnpm, for scripts that call it by name: on PATH, as a developer's machine has it. It runs the one that the fetch took
// out of the registry. It gets no settings file of the user: scripts run while foreign code may lie in that folder, and
// nobody could tell then who reads the token in it.
'use strict'
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const name = path.basename(process.argv[1])
const store = path.join(os.homedir(), '.npm/_npx')

function programs () {
  const found = []
  for (const folder of fs.existsSync(store) ? fs.readdirSync(store).slice(0, 100) : []) {
    const home = path.join(store, folder, 'node_modules', name)
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
process.env.npm_config_userconfig = '/usr/share/npm/npmrc'
process.env.npm_config_manage_package_manager_versions = 'false'
process.argv[1] = file
require(file)
