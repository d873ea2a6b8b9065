/**
 * Puts each mutant into a copy of the sources and runs the tests that must find it. A mutant that survives, or that no longer applies, is a failure.
 *
 *   npm run mutants              all of them
 *   npm run mutants -- vary      those whose name contains "vary"
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mutant, mutants } from './mutants.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wanted = process.argv[2]?.toLowerCase() ?? ''
const chosen = mutants.filter(({ name }) => name.toLowerCase().includes(wanted))

/** A copy of everything that the unit tests need. */
function workplace(): string {
  const place = mkdtempSync(join(tmpdir(), 'nearcache-mutant-'))
  for (const part of ['src', 'test', 'demo', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'README.md']) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(place, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
  return place
}

/** The files with the mutant in them; throws when an edit does not apply exactly once, or a test is not there. */
function mutated({ name, edits, tests }: Mutant): Map<string, string> {
  const missing = tests.filter((path) => !existsSync(join(root, path)))
  if (missing.length > 0) throw new Error(`"${name}" is to be found by tests that are not there: ${missing}`)
  const files = new Map<string, string>()
  for (const { file, find, replace } of edits) {
    const text = files.get(file) ?? readFileSync(join(root, file), 'utf8')
    const times = text.split(find).length - 1
    if (times !== 1)
      throw new Error(
        `"${name}" no longer applies: its text stands ${times} times in ${file}; bring test/mutants/mutants.ts up to date`,
      )
    files.set(
      file,
      text.replace(find, () => replace),
    )
  }
  return files
}

interface Run {
  readonly passed: boolean
  readonly output: string
}

const runTests = (place: string, tests: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'unit',
      '--bail',
      '1',
      '--testTimeout',
      '20000',
      ...tests,
    ]
    execFile(process.execPath, args, { cwd: place, timeout: 600_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ passed: !error, output: stdout + stderr }),
    )
  })

async function main(): Promise<void> {
  const patches = chosen.map((mutant) => ({ mutant, files: mutated(mutant) }))
  const killed: string[] = []
  const survived: string[] = []

  const untouched = workplace()
  const everything = [...new Set(chosen.flatMap(({ tests }) => tests))]
  const sane = await runTests(untouched, everything)
  rmSync(untouched, { recursive: true, force: true })
  if (!sane.passed)
    throw new Error(`The tests fail without any mutant, so they prove nothing:\n${sane.output.slice(-4000)}`)

  const queue = [...patches]
  const work = async () => {
    const place = workplace()
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const { mutant, files } = next
        for (const [file, text] of files) writeFileSync(join(place, file), text)
        const { passed, output } = await runTests(place, mutant.tests)
        const found = /Test Files|FAIL|failed/.test(output)
        const dead = !passed && found
        const told = passed || found ? mutant.name : `${mutant.name} (the runner failed: ${output.slice(-300)})`
        ;(dead ? killed : survived).push(told)
        console.log(`${dead ? 'killed  ' : 'SURVIVED'}  ${told}`)
        for (const file of files.keys()) cpSync(join(root, file), join(place, file))
      }
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))

  mkdirSync(join(root, '.reports'), { recursive: true })
  writeFileSync(join(root, '.reports/mutants.json'), JSON.stringify({ killed, survived }, null, 2))
  console.log(`${killed.length} killed, ${survived.length} survived`)
  if (survived.length > 0 || killed.length === 0) process.exitCode = 1
}

await main()
