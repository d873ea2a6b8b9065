// The generated part of CONFORMANCE.md: one block for each edition of the suite. Nothing in it changes from run to run.
import { listedFor, type Run } from './compare.ts'
import type { Deviation, Environment } from './deviations.ts'
import type { Edition, Kind, Suite, SuiteSection } from './suite.ts'
import { judge, type Verdict } from './verdict.ts'

/** A run of the suite in each environment. */
export type Runs = Readonly<Record<Environment, Run>>

const environments: readonly Environment[] = ['Node', 'Chromium', 'Firefox', 'WebKit']

const count = (run: Run, kind: Kind, verdict?: Verdict): number =>
  [...run.values()].filter((judged) => judged.kind === kind && (!verdict || judged.verdict === verdict)).length

const within = (run: Run, { tests }: SuiteSection): Run =>
  new Map(
    tests.flatMap(({ id }) => {
      const judged = run.get(id)
      return judged ? [[id, judged] as const] : []
    }),
  )

/** "12 of 13"; a dash where there is nothing to pass. */
function passed(run: Run, kind: Kind): string {
  const of = count(run, kind)
  return of === 0 ? '–' : `${count(run, kind, 'passed')} of ${of}`
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: ReadonlyArray<readonly string[]>): readonly string[] => [
  row(...head),
  `|${'---|'.repeat(head.length)}`,
  ...rows.map((cells) => row(...cells)),
]

const command = (edition: Edition): string =>
  edition === 'release' ? 'npm run conformance' : 'HTTP_CACHE_TESTS=<checkout> npm run conformance'

function heading(suite: Suite): readonly string[] {
  const { edition, version, fingerprint, sections } = suite
  const tests = sections.reduce((sum, section) => sum + section.tests.length, 0)
  const what =
    edition === 'release' ? `npm package \`http-cache-tests\` ${version}` : `main branch of \`http-tests/cache-tests\``
  return [
    edition === 'release' ? '### The npm release' : "### The project's main branch",
    '',
    `Written by \`${command(edition)}\`: the ${what}, whose tests have the fingerprint \`${fingerprint}\`, read as for a`,
    `browser's private cache: ${tests} tests.`,
    '',
  ]
}

function totals(suite: Suite, runs: Runs): readonly string[] {
  const ours = environments.map((environment) => [`nearcache in ${environment}`, runs[environment]] as const)
  const others = suite.published.map(
    ({ name, version, results }) => [`${name} ${version}'s own cache`, judge(suite.sections, results)] as const,
  )
  const rows = [...ours, ...others].map(([name, run]) => [name, passed(run, 'required'), passed(run, 'optimal')])
  return [
    ...table(['', 'required', 'optimal'], rows),
    '',
    "The browsers' figures are those that the suite publishes with itself (its folder `results`), counted in the same way.",
    '',
  ]
}

function sectionTable({ sections }: Suite, runs: Runs): readonly string[] {
  const rows = sections.map((section) => {
    const inEach = environments.map((environment) => within(runs[environment], section))
    return [
      section.name,
      ...(['required', 'optimal'] as const).flatMap((kind) => inEach.map((run) => passed(run, kind))),
    ]
  })
  const [first, ...others] = environments
  const heads = ['required', 'optimal'].flatMap((kind) => [`${kind}: ${first}`, ...others])
  return [...table(['section', ...heads], rows), '']
}

function deviationList(suite: Suite, runs: Runs): readonly string[] {
  const listed = new Map<Deviation, Environment[]>()
  for (const environment of environments) {
    for (const deviation of listedFor(suite, environment, runs[environment]))
      listed.set(deviation, [...(listed.get(deviation) ?? []), environment])
  }
  const groups = new Map<string, { readonly text: string; readonly ids: string[] }>()
  for (const [{ id, reason, source }, where] of listed) {
    const text = `${where.length === environments.length ? '' : `In ${where.join(', ')} only. `}${reason} *${source}.*`
    const group = groups.get(text) ?? { text, ids: [] }
    group.ids.push(`\`${id}\``)
    groups.set(text, group)
  }
  return [
    'Not passed, and why:',
    '',
    ...[...groups.values()].map(({ ids, text }) => `- ${ids.join(', ')}: ${text}`),
    '',
  ]
}

/** What the suite only asks: yes, no, or nothing, when the test did not come to its point or builds on a "no". */
const answerOf = (run: Run, id: string): 'yes' | 'no' | 'nothing' => {
  const verdict = run.get(id)?.verdict
  return verdict === 'passed' ? 'yes' : verdict === 'failed' ? 'no' : 'nothing'
}

function answers({ sections }: Suite, runs: Runs): readonly string[] {
  const lines = sections.flatMap((section) => {
    const asked = section.tests.filter(({ kind }) => kind === 'check').map(({ id }) => id)
    if (asked.length === 0) return []
    const parts = (['yes', 'no', 'nothing'] as const).flatMap((answer) => {
      const ids = asked
        .filter((id) => answerOf(runs.Node, id) === answer)
        .map((id) => {
          const others = environments
            .map((name) => [name, answerOf(runs[name], id)] as const)
            .filter(([, other]) => other !== answer)
            .map((other) => other.join(': '))
          return others.length === 0 ? `\`${id}\`` : `\`${id}\` (${others.join(', ')})`
        })
      return ids.length > 0 ? [`**${answer}** ${ids.join(', ')}`] : []
    })
    return [`- ${section.name}: ${parts.join('; ')}`]
  })
  return [
    'What it asks without judging (*nothing*: the test did not come to its point, or builds on one that was answered no):',
    '',
    ...lines,
  ]
}

/** The block of one edition, without its markers. */
export const renderBlock = (suite: Suite, runs: Runs): string =>
  [
    ...heading(suite),
    ...totals(suite, runs),
    ...sectionTable(suite, runs),
    ...deviationList(suite, runs),
    ...answers(suite, runs),
  ].join('\n')

const markers = (edition: Edition): readonly [string, string] => [
  `<!-- generated: ${edition} -->`,
  `<!-- end of generated: ${edition} -->`,
]

/**
 * The document with this edition's block put in the place of the one that it has.
 *
 * @throws Error when the document has no place for it
 */
export function replaceBlock(document: string, edition: Edition, block: string): string {
  const [begin, end] = markers(edition)
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`CONFORMANCE.md has no place for the results: ${begin} ... ${end}`)
  return `${document.slice(0, from + begin.length)}\n\n${block}\n\n${document.slice(to)}`
}
