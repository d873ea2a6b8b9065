import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumLaunch } from '../support/browsers.ts'
import { type Bundle, buildWithVite, buildWithWebpack } from './bundle-project.ts'
import { installPackage, type PackedPackage, type Project, packPackage, repository } from './install-package.ts'

/** A page that reads one address twice at once and once more after, and keeps what it saw where a test can find it. */
const main = `
import { createCache } from 'nearcache'
const cache = createCache({ deadlines: { diskMs: 60_000 } }) // a busy machine is not what is asked about
const read = async () => {
  const response = await cache.fetch('/api/product/42')
  return { body: await response.json(), status: response.headers.get('cache-status') }
}
globalThis.seen = Promise.all([read(), read()])
  .then(async (both) => [...both, await read()])
  .then(async (all) => (await cache.settled(), all))
`

interface Seen {
  readonly body: { readonly id: number }
  readonly status: string | null
}

/** Serves a bundle, opens it in Chromium without Chromium's own cache, reloads it, and tells what page and origin saw. */
async function runInChromium({ folder }: Bundle): Promise<{ first: Seen[]; reloaded: Seen[]; asked: number }> {
  let asked = 0
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://origin').pathname
    if (path === '/api/product/42') {
      asked += 1
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=600', etag: '"1"' })
      response.end('{"id":42}')
      return
    }
    if (path === '/favicon.ico') {
      response.writeHead(204).end()
      return
    }
    response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html')
    response.end(readFileSync(join(folder, path === '/' ? 'index.html' : path)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch(chromiumLaunch)
  try {
    const page = await browser.newPage()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
    const seen = () => page.evaluate(() => (globalThis as unknown as { seen: Promise<Seen[]> }).seen)
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const first = await seen()
    await page.reload()
    return { first, reloaded: await seen(), asked }
  } finally {
    await browser.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const holdsZod = ({ sources }: Bundle): boolean => sources.some((path) => path.includes('/zod/'))

let packed: PackedPackage
let project: Project

beforeAll(() => {
  packed = packPackage()
  project = installPackage(packed.tarball)
})
afterAll(() => {
  project?.remove()
  packed?.remove()
})

describe('the packed package', () => {
  test('holds the build, its sources and its documents, and nothing else', () => {
    const others = packed.files.filter((path) => !/^(?:dist|src)\/|^(?:package\.json|LICENSE|[A-Z]+\.md)$/.test(path))
    expect(others).toEqual([])
    expect(packed.files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/index.development.js',
        'dist/testing/index.js',
        'dist/testing/index.d.ts',
      ]),
    )
  })

  test.for([
    ['Vite', buildWithVite],
    ['webpack', buildWithWebpack],
  ] as const)('works in a production build by %s, across a reload too, without zod', async ([, build]) => {
    project.write({ 'main.js': main })
    const bundle = await build(project)
    expect(bundle.sources.some((path) => path.includes('nearcache/dist/'))).toBe(true)
    expect(holdsZod(bundle)).toBe(false)

    const { first, reloaded, asked } = await runInChromium(bundle)
    expect(first.map(({ body }) => body)).toEqual([{ id: 42 }, { id: 42 }, { id: 42 }])
    expect(first.at(2)?.status).toMatch(/nearcache; ?hit/)
    for (const { body, status } of reloaded) {
      expect(body).toEqual({ id: 42 })
      expect(status).toMatch(/nearcache; ?hit/)
    }
    expect(asked).toBe(1)
  })

  test('comes with the validation of options in a development build', async () => {
    project.write({ 'main.js': main })
    expect(holdsZod(await buildWithWebpack(project, 'development'))).toBe(true)
  })

  test.for([
    ['Vite', buildWithVite],
    ['webpack', buildWithWebpack],
  ] as const)('leaves out of a build by %s what a page does not use', async ([, build]) => {
    project.write({ 'main.js': "import { trackingParameters } from 'nearcache'\nglobalThis.seen = trackingParameters" })
    const { code } = await build(project)
    expect(code).toContain('utm_')
    expect(code).not.toMatch(/indexedDB|idb-keyval|stale-while-revalidate|CacheError/i)

    project.write({ 'main.js': "import 'nearcache'\nglobalThis.seen = 'nothing-used'" })
    const unused = await build(project)
    expect(unused.code).toContain('nothing-used')
    expect(unused.sources.filter((path) => path.includes('nearcache/dist/'))).toEqual([])
  })

  test('marks the hooks, and nothing else, as code of the client, for bundlers of server components', () => {
    const built = packed.files.filter((path) => /^dist\/.*\.js$/.test(path))
    const text = (path: string) => readFileSync(join(project.path, 'node_modules/nearcache', path), 'utf8')
    expect(built.filter((path) => /^(['"])use client\1;?\n/.test(text(path)))).toEqual(['dist/react/index.js'])
    // A shared part that used React would be run where there is none.
    expect(built.filter((path) => /\bfrom ?['"]react['"]/.test(text(path)))).toEqual(['dist/react/index.js'])
  })

  test('validates options in Node, naming the path', () => {
    const script = `
      import { createCache, CacheError } from 'nearcache'
      try { createCache({ memory: { maxBytes: -1 } }) } catch (error) { console.log(error instanceof CacheError, error.path) }
    `
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: project.path,
      encoding: 'utf8',
    })
    expect(output.trim()).toBe('true memory.maxBytes')
  })

  test('gives nearcache/testing to a project that has fake-indexeddb', () => {
    const testProject = installPackage(packed.tarball, ['fake-indexeddb'])
    try {
      const script = `
        import { seededRandom, virtualClock } from 'nearcache/testing'
        const [one, other] = [seededRandom(7), seededRandom(7)]
        console.log(virtualClock(1000).now(), one() === other())
      `
      const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: testProject.path,
        encoding: 'utf8',
      })
      expect(output.trim()).toBe('1000 true')
    } finally {
      testProject.remove()
    }
  })

  test.for(['bundler', 'nodenext'])('has types that a strict project accepts (moduleResolution %s)', (resolution) => {
    project.write({
      'types.ts': `
        import { createCache, type NearCache } from 'nearcache'
        export const cache: NearCache = createCache({ store: 'memory' })
        export const fetchLike: typeof fetch = cache.fetch
      `,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'DOM', 'DOM.Iterable'],
          module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
          moduleResolution: resolution,
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
        },
        include: ['types.ts'],
      }),
    })
    const compiler = join(repository, 'node_modules/typescript/bin/tsc')
    expect(() =>
      execFileSync(process.execPath, [compiler, '-p', '.'], { cwd: project.path, encoding: 'utf8', stdio: 'pipe' }),
    ).not.toThrow()
  })
})
