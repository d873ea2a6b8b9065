import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { bundle } from '../size/bundle.ts'
import { paths } from '../support/browsers.ts'
import { openMiniBrowser, safariFeatures } from '../support/mini-browser.ts'

// The back/forward cache of WebKit (FAULTS F-50). There is no driver here: the pages drive themselves, away, back, and once more.

const ROUNDS = 3

/** What a page does before it leaves, with a cache and without. */
const BEFORE = {
  'has read and been told': ["await tab.read(['/a/' + round])", "await fetch('/a/' + round)"],
  'is in the middle of a request': ["tab.begin('/held/' + round)", "fetch('/held/' + round).catch(() => {})"],
} as const

const page = (script: string, work: string) => `<!doctype html><meta charset="utf-8"><title>here</title>
<script>${script}</script>
<script>
  let round = 0
  addEventListener('pageshow', async ({ persisted }) => {
    await fetch('/shown?persisted=' + persisted, { cache: 'no-store' })
    if (round++ === ${ROUNDS}) return
    ${work}
    setTimeout(() => { location.href = '/away' }, 200)
  })
</script>`
const away = '<!doctype html><title>away</title><script>setTimeout(() => history.back(), 200)</script>'

/** Whether a page that does this came back as it was: at first, when it is loaded, and after each way back. */
async function waysBack(html: string): Promise<boolean[]> {
  const shown: boolean[] = []
  let isDone = () => {}
  const done = new Promise<void>((resolve) => {
    isDone = resolve
  })
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin')
    if (pathname.startsWith('/held/')) return
    if (pathname === '/shown' && shown.push(searchParams.get('persisted') === 'true') > ROUNDS) isDone()
    const isPage = pathname === '/' || pathname === '/away'
    response.writeHead(200, {
      'content-type': isPage ? 'text/html' : 'application/json',
      'cache-control': isPage ? 'no-cache' : 'max-age=600',
    })
    response.end(pathname === '/' ? html : isPage ? away : '{"seq":1}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = { executablePath: paths.webkit as string, features: safariFeatures }
  const browser = await openMiniBrowser(options, `http://127.0.0.1:${port}/`)
  try {
    await done
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
  return shown
}

test.each(Object.entries(BEFORE))(
  'a page that %s comes back as often as one without a cache',
  async (_, [ours, plain]) => {
    const { code } = await bundle({ path: 'test/tabs/tabs-page.ts' }, { format: 'iife' })
    const [withCache, without] = [await waysBack(page(`${code};tab.open()`, ours)), await waysBack(page('', plain))]
    expect(withCache).toEqual(without)
    expect(without[0]).toBe(false)
  },
)

test('and that is each time, when nothing is under way', async () => {
  expect(await waysBack(page('', BEFORE['has read and been told'][1]))).toEqual([false, true, true, true])
})
