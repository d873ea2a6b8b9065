// `npm run bench`: a hit in memory, and the decision alone, beside what one would use instead; all in one run, as ratios.
// Absolute times are this machine's. Nothing here passes or fails.
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright'
import { bundle, ensureBuilt, repository } from '../size/bundle.ts'
import { chromiumLaunch, paths } from '../support/browsers.ts'
import type { InNode } from './in-node.ts'
import type * as Page from './in-page.ts'
import type { Measured } from './measure.ts'
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
    return await page.evaluate(() => (globalThis as unknown as { benchmark: typeof Page }).benchmark.hits())
  } finally {
    await browser.close()
    server.close()
  }
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

ensureBuilt()
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
} else process.stdout.write('SKIPPED: the hits in Chromium, which is not on this machine\n')
