#!/usr/bin/env node
require('yargs');
