// A part of `npm run bench`: what the disk costs a page of Chromium, beside bare IndexedDB and plain fetch.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright'
import { bundle } from '../size/bundle.ts'
import type * as InPage from './disk-in-page.ts'
import { inProfile } from './profile.ts'
import { bytes, headers } from './sample.ts'
import { type Table, tableOf } from './table.ts'

/** How many responses are stored. */
const STORED = 10_000
/** Reloads, and rounds within one page. */
const ROUNDS = 15
const MISSES = 1_000

type Global = { readonly disk: typeof InPage }

export async function measureDisk(): Promise<readonly Table[]> {
  const { code } = await bundle({ path: 'test/bench/disk-in-page.ts' }, { format: 'iife', globalName: 'disk' })
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/product')) response.writeHead(200, headers).end(bytes)
    // A file of its own, so that the browser keeps it compiled, as it does for any page that is loaded again.
    else if (request.url === '/code.js')
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=3600' }).end(code)
    // Isolated, so that the timer's grain is fine (HR-Time §7).
    else
      response
        .writeHead(200, {
          'content-type': 'text/html',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        })
        .end('<!doctype html><title>Benchmark</title><script src="/code.js"></script>')
  })
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`
  try {
    return await inProfile((context) => measureIn(context, url))
  } finally {
    server.close()
  }
}

/** What Chromium's trace says of one piece of work, in microseconds. */
interface Traced {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly tdur?: number
}

/** What the page marks while it is traced: on its own main thread. Chromium's other pages, as its new tab, have theirs. */
const MARK = 'traced here'

/** The longest task of the page's main thread in a trace, in milliseconds that it worked: a busy machine that takes the processor away does not count. */
function longestTaskIn({ traceEvents }: { readonly traceEvents: readonly Traced[] }): number {
  const mark = traceEvents.find(({ name }) => name === MARK)
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && pid === mark?.pid && tid === mark.tid,
  )
  if (tasks.length === 0) throw new Error('The trace holds no task of the page')
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000
}

async function measureIn(context: BrowserContext, url: string): Promise<readonly Table[]> {
  const browser = context.browser()
  if (!browser) throw new Error('This Playwright traces no profile')
  /** Does `work` in a page that was just loaded. */
  async function inFreshPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
    const page = await context.newPage()
    try {
      await page.goto(url)
      return await work(page)
    } finally {
      await page.close()
    }
  }

  await inFreshPage((page) => page.evaluate((count) => (globalThis as unknown as Global).disk.fill(count), STORED))

  const times = {
    get: [] as number[],
    answer: [] as number[],
    gets: [] as number[],
    responses: [] as number[],
    answers: [] as number[],
  }
  // One page that is loaded again and again, as a reload is: the code of either way is compiled, and nothing is open.
  await inFreshPage(async (page) => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const what of ['get', 'answer', 'gets', 'responses', 'answers'] as const) {
        await page.reload()
        const time = await page.evaluate(([one, index]) => (globalThis as unknown as Global).disk.first[one](index), [
          what,
          round * 500,
        ] as const)
        times[what].push(time)
      }
    }
  })
  const warm = await inFreshPage((page) =>
    page.evaluate((rounds) => (globalThis as unknown as Global).disk.again(rounds), 4 * ROUNDS),
  )

  const missed = { plain: [] as number[], 'by hand': [] as number[], cached: [] as number[] }
  let asked = 0
  for (let round = 0; round < 7; round++) {
    for (const way of ['plain', 'by hand', 'cached'] as const) {
      const time = await inFreshPage((page) =>
        page.evaluate(([count, from, how]) => (globalThis as unknown as Global).disk.misses(count, from, how), [
          MISSES,
          asked,
          way,
        ] as const),
      )
      missed[way].push(time)
      asked += MISSES
    }
  }

  const tasks: Record<string, number[]> = {}
  const names = await inFreshPage((page) =>
    page.evaluate(() => Object.keys((globalThis as unknown as Global).disk.tasks)),
  )
  for (const name of names as Array<keyof Global['disk']['tasks']>) {
    const longest = await inFreshPage(async (page) => {
      await browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing'] })
      await page.evaluate((mark) => performance.mark(mark), MARK)
      await page.evaluate((one) => (globalThis as unknown as Global).disk.tasks[one](), name)
      return longestTaskIn(JSON.parse((await browser.stopTracing()).toString()))
    })
    // Once each: they follow one another, and what one leaves on disk the next begins with.
    tasks[name] = [longest]
  }

  const stored = `${STORED.toLocaleString('en')} stored, Chromium`
  return [
    tableOf('disk-first', `The first answer after a reload, ${stored}`, 'ms', {
      'first get()': times.get,
      'first answer': times.answer,
    }),
    tableOf('disk-first-100', `The first 100 answers after a reload, ${stored}`, 'ms', {
      'getMany() of 100': times.gets,
      'the same, each as a Response': times.responses,
      'first 100 answers': times.answers,
    }),
    tableOf('disk-again', `An answer from the disk, once it is open, ${stored}`, 'ms', {
      'get()': warm.get,
      'an answer': warm.answer,
    }),
    tableOf('disk-again-100', `100 answers from the disk at once, once it is open, ${stored}`, 'ms', {
      'getMany() of 100': warm.gets,
      '100 answers': warm.answers,
    }),
    tableOf('misses', `1,000 misses, stored, beside ${stored}`, 'ms', {
      'plain fetch': missed.plain,
      'plain fetch, each kept by set()': missed['by hand'],
      nearcache: missed.cached,
    }),
    tableOf('tasks', 'The longest task of the main thread, Chromium', 'ms', tasks),
  ]
}
