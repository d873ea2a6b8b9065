// `npm run bench`: a hit in memory, the decision alone, and the disk, beside what one would use instead; all in one run, as ratios.
// Absolute times are this machine's. Nothing here passes or fails.
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Page as BrowserPage, chromium } from 'playwright'
import { bundle, ensureBuilt, repository } from '../size/bundle.ts'
import { chromiumLaunch, paths } from '../support/browsers.ts'
import { measureDisk, type OnDisk } from './disk.ts'
import type { InNode } from './in-node.ts'
import type * as Page from './in-page.ts'
import type { Measured } from './measure.ts'
import type * as PurgePage from './purge-in-page.ts'
import { bytes, headers } from './sample.ts'

/** Runs the contenders in a fresh Node, from the production build and plain JavaScript, so that no loader is measured. */
async function measureInNode(): Promise<InNode> {
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: ['test/bench/in-node.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['browser', 'production', 'import'],
    alias: { nearcache: join(repository, 'dist/index.js') },
    external: ['@epic-web/cachified', '@tanstack/query-core', 'http-cache-semantics', 'tinybench', 'undici'],
    tsconfigRaw: {},
    write: false,
    logLevel: 'error',
  })
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module'], {
    cwd: repository,
    input: outputFiles[0]?.text ?? '',
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error('The benchmark in Node failed')
  return JSON.parse(stdout)
}

async function measureInChromium(): Promise<readonly Measured[]> {
  const { code } = await bundle({ path: 'test/bench/in-page.ts' }, { format: 'iife', globalName: 'benchmark' })
  return inChromium(code, (page) =>
    page.evaluate(() => (globalThis as unknown as { benchmark: typeof Page }).benchmark.hits()),
  )
}

/** Runs a bundle in a page of its own origin. */
async function inChromium<T>(code: string, work: (page: BrowserPage) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    if (request.url === '/product') response.writeHead(200, headers).end(bytes)
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Benchmark</title>')
  })
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  const browser = await chromium.launch(chromiumLaunch)
  try {
    const page = await browser.newPage()
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await page.addScriptTag({ content: code })
    return await work(page)
  } finally {
    await browser.close()
    server.close()
  }
}

/** Purges where much is stored and where many follow: plain lines, from the sources. */
function measurePurgesInNode(): void {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'test/bench/purges-in-node.ts'], {
    cwd: repository,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('The benchmark of purges in Node failed')
}

async function measurePurgesInChromium(): Promise<void> {
  const [stored, rounds] = [100_000, 21]
  const { code } = await bundle({ path: 'test/bench/purge-in-page.ts' }, { format: 'iife', globalName: 'benchmark' })
  const times = await inChromium(code, (page) =>
    page.evaluate(
      ([count, many]) => (globalThis as unknown as { benchmark: typeof PurgePage }).benchmark.purgesOnDisk(count, many),
      [stored, rounds] as const,
    ),
  )
  const [median, worst] = [times[Math.floor(times.length / 2)], times.at(-1)]
  process.stdout.write(
    `purge of a tag on ${stored} stored responses, on disk in Chromium, until it is there: median ${median?.toFixed(2)} ms, worst ${worst?.toFixed(2)} ms\n`,
  )
}

/** A worker that answers from its memory, and does nothing else. */
const bareWorker = `
  const held = fetch('/product').then((response) => response.arrayBuffer())
  addEventListener('install', (event) => event.waitUntil(held))
  addEventListener('fetch', (event) => {
    if (event.request.url.endsWith('/product'))
      event.respondWith(held.then((bytes) => new Response(bytes, { headers: { 'content-type': 'application/json' } })))
  })`

/** The same request from three pages: without a worker, with a bare one, and with ours. */
async function measureWorkers(): Promise<readonly Measured[]> {
  const contents = "import { installCache } from 'nearcache/service-worker'; installCache(self)"
  const [{ code: ours }, { code: page }] = await Promise.all([
    bundle({ contents }, { format: 'iife' }),
    bundle({ path: 'test/bench/in-page.ts' }, { format: 'iife', globalName: 'benchmark' }),
  ])
  const server = createServer((request, response) => {
    const script = { '/bare/worker.js': bareWorker, '/ours/worker.js': ours }[request.url ?? '']
    if (script) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    else if (request.url === '/product') response.writeHead(200, headers).end(bytes)
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Benchmark</title>')
  })
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  const browser = await chromium.launch(chromiumLaunch)
  try {
    const context = await browser.newContext()
    const contenders = []
    for (const [name, path] of [
      ['without a worker, from the HTTP cache', '/plain/'],
      ['through a bare worker, from its memory', '/bare/'],
      ['through our worker, from its memory', '/ours/'],
    ] as const) {
      const tab = await context.newPage()
      const open = () => tab.goto(`http://localhost:${(server.address() as AddressInfo).port}${path}`)
      await open()
      if (path !== '/plain/') {
        await tab.evaluate(async () => {
          await navigator.serviceWorker.register('worker.js')
          await navigator.serviceWorker.ready
        })
        await open()
        if (!(await tab.evaluate(() => navigator.serviceWorker.controller))) throw new Error(`${path} has no worker`)
      }
      await tab.addScriptTag({ content: page })
      contenders.push({ name, tab, best: Number.POSITIVE_INFINITY })
    }
    // One after another, time and again: a machine that slows down slows all of them.
    for (let round = 0; round < 5; round++)
      for (const contender of contenders) {
        await contender.tab.bringToFront()
        const took = await contender.tab.evaluate(() =>
          (globalThis as unknown as { benchmark: typeof Page }).benchmark.fetched('/product'),
        )
        contender.best = Math.min(contender.best, took)
      }
    return contenders.map(({ name, best }) => ({ name, microseconds: best }))
  } finally {
    await browser.close()
    server.close()
  }
}

/** A table in Markdown: each contender's time, and how many times that of the first. */
function print(title: string, measured: readonly Measured[]): void {
  const [baseline] = measured
  const wide = Math.max(title.length, ...measured.map(({ name }) => name.length))
  const rows = measured.map(({ name, microseconds }) => {
    const ratio = microseconds / (baseline?.microseconds ?? microseconds)
    return `| ${name.padEnd(wide)} | ${microseconds.toPrecision(3).padStart(8)} | ${ratio.toFixed(2).padStart(6)} |`
  })
  const head = [
    `| ${title.padEnd(wide)} | ${'µs'.padStart(8)} | ${'ratio'.padStart(6)} |`,
    `|${'-'.repeat(wide + 2)}|---------:|-------:|`,
  ]
  process.stdout.write(`${[...head, ...rows].join('\n')}\n\n`)
}

/** Ratios with their budgets, and how long the main thread was not to be had. */
function printDisk({ compared, tasks }: OnDisk): void {
  const rows = compared.map(({ name, ours, bare, budget }) => {
    const ratio = ours / bare
    return `| ${name} | ${ours.toFixed(2)} | ${bare.toFixed(2)} | ${ratio.toFixed(2)} | ${budget}${ratio > budget ? ' MISSED' : ''} |`
  })
  const longest = tasks.map(
    ({ name, longest, took }) =>
      `| ${name} | ${longest.toFixed(1)} | ${took.toFixed(0)} | 50${longest > 50 ? ' MISSED' : ''} |`,
  )
  const lines = [
    '| The disk, in Chromium, 10,000 stored | ms | beside, ms | ratio | budget |',
    '|---|---:|---:|---:|---:|',
    ...rows,
    '',
    '| The longest task of the main thread | ms | it all took, ms | budget |',
    '|---|---:|---:|---:|',
    ...longest,
  ]
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

const [part] = process.argv.slice(2)
ensureBuilt()
if (part === 'disk') {
  printDisk(await measureDisk())
  process.exit()
}
if (part === 'purges') {
  measurePurgesInNode()
  if (paths.chromium) await measurePurgesInChromium()
  process.exit(0)
}
process.stdout.write(
  `\`npm run bench\`: 1 KB of JSON, medians, Node ${process.versions.node}, ${cpus().length} processors; the first line is 1\n\n`,
)
const { hits, decisions } = await measureInNode()
print('A hit in memory, in Node', hits)
print('The decision alone, in Node', decisions)
if (paths.chromium) {
  print('A hit, in Chromium', await measureInChromium())
  const workers = await measureWorkers()
  print('A hit through a worker, in Chromium', workers)
  const [plain = 0, bare = 0, ours = 0] = workers.map(({ microseconds }) => microseconds)
  process.stdout.write(
    `Our worker adds ${((ours - plain) / (bare - plain)).toFixed(2)} times what the bare one adds.\n\n`,
  )
  printDisk(await measureDisk())
} else process.stdout.write('SKIPPED: the hits and the disk in Chromium, which is not on this machine\n')
measurePurgesInNode()
if (paths.chromium) await measurePurgesInChromium()
