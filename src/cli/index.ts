#!/usr/bin/env node
/// <reference types="node" />
import { run } from './run.ts'
import { builtTemplate } from './write-worker.ts'

process.exitCode = run(process.argv.slice(2), {
  cwd: process.cwd(),
  template: builtTemplate,
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
})
