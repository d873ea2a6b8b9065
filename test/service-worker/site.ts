import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { run } from '../../src/cli/run.ts'
import { repository } from '../size/bundle.ts'

/** A small site whose pages run `site-page.ts`, and whose worker is `site-worker.ts`. It can be stopped, and started again at the same address. */
export interface Site {
  readonly url: string
  /** The requests that came for a path, query included; without one, all of them. */
  requests(path?: string): readonly Received[]
  /** Nothing answers any more. */
  stop(): Promise<void>
  start(): Promise<void>
  /** What the worker's script is from now on: another text before it is another version. `null`: there is none. */
  worker: string | null
  /** Runs `nearcache sw` with these arguments beside the folder, whose `nearcache-sw.js` is served from now on; `config` is the file of its options. @throws what the command complains of */
  write(args: readonly string[], config?: object): void
}

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** A picture of ten by ten pixels. */
const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'

let root: string | undefined

/** Where sites have their files: gone when this process ends, since a site that was stopped may be started again. */
function folder(): string {
  if (!root) {
    const made = mkdtempSync(join(tmpdir(), 'nearcache-sites-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    root = made
  }
  return root
}

type Script = 'page' | 'later-page' | 'worker' | 'ready-made' | 'kill-switch'
let scripts: Promise<Readonly<Record<Script, string>>> | undefined

/** Makes of this version of the library a later one, whose records and messages have another number. */
const later: Plugin = {
  name: 'later',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8')
        .replace(/\bv: 1\b/g, 'v: 2')
        .replace(/\bv === 1\b/g, 'v === 2')
        .replace('const VERSION = 1', 'const VERSION = 2'),
    }))
  },
}

async function bundled(): Promise<Readonly<Record<Script, string>>> {
  const laterPage = build({
    absWorkingDir: repository,
    entryPoints: ['test/service-worker/site-page.ts'],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    plugins: [later],
    logLevel: 'error',
  })
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: {
      page: 'test/service-worker/site-page.ts',
      worker: 'test/service-worker/site-worker.ts',
      'ready-made': 'src/cli/ready-made.ts',
      'kill-switch': 'src/cli/kill-switch.ts',
    },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    outdir: 'site',
    logLevel: 'error',
  })
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(`/${name}.js`))?.text ?? ''
  return {
    page: text('page'),
    'later-page': (await laterPage).outputFiles[0]?.text ?? '',
    worker: text('worker'),
    'ready-made': text('ready-made'),
    'kill-switch': text('kill-switch'),
  }
}

/** A second of silence, as WAV. */
function silence(): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + 8_000, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(8_000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(8_000, 40)
  return Buffer.concat([head, Buffer.alloc(8_000, 128)])
}

export async function startSite(): Promise<Site> {
  scripts ??= bundled()
  const { page, 'later-page': laterPage, worker, 'ready-made': readyMade, 'kill-switch': killSwitch } = await scripts
  const cwd = mkdtempSync(join(folder(), 'site-'))
  writeFileSync(join(cwd, 'index.html'), '')
  const received: Received[] = []
  let seq = 0

  const pageOf = (name: string) => `<!doctype html><meta charset="utf-8"><title>${name}</title><h1>${name}</h1>
    <img src="/picture.svg" alt=""><script src="${name.startsWith('/later') ? '/later-page.js' : '/page.js'}"></script>`

  /** Who is signed in by cookie. All ports of a host share their cookies: each site's has a name of its own. */
  const userOf = ({ headers }: IncomingMessage) =>
    new RegExp(`(?:^|; )user-${port}=([^;]*)`).exec(headers.cookie ?? '')?.[1] ?? 'nobody'

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://site')
    const { pathname, searchParams } = url
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers })
    seq++
    const send = (type: string, body: string | Buffer, cacheControl = 'max-age=600, stale-if-error=600') => {
      response.writeHead(Number(searchParams.get('status') ?? 200), {
        'content-type': type,
        'cache-control': searchParams.get('cc') ?? cacheControl,
        'access-control-allow-origin': '*',
      })
      response.end(body)
    }
    if (pathname === '/worker.js') {
      if (site.worker === null) response.writeHead(404).end()
      else send('text/javascript', `${site.worker}\n${worker}`, 'no-cache')
    } else if (pathname === '/nearcache-sw.js') {
      send('text/javascript', readFileSync(join(cwd, 'nearcache-sw.js')), 'no-cache')
    } else if (pathname === '/asking.js')
      send(
        'text/javascript',
        'onmessage = ({ data }) => fetch(data).then(({ status }) => postMessage(status), () => postMessage(0))',
        'no-store',
      )
    else if (pathname === '/silence.wav') send('audio/wav', silence())
    else if (pathname === '/page.js') send('text/javascript', page)
    else if (pathname === '/later-page.js') send('text/javascript', laterPage)
    else if (pathname.endsWith('.svg')) send('image/svg+xml', PICTURE)
    else if (pathname.startsWith('/api/')) send('application/json', JSON.stringify({ seq }))
    else if (pathname === '/me') send('application/json', JSON.stringify({ seq, user: userOf(request) }))
    else if (pathname === '/sign-in') {
      // ?as= says who comes, ?clear= what is to be forgotten with it
      const clear = searchParams.get('clear')
      response.writeHead(204, {
        'set-cookie': `user-${port}=${searchParams.get('as')}; Path=/`,
        'cache-control': 'no-store',
        ...(clear && { 'clear-site-data': clear }),
      })
      response.end()
    } else if (pathname === '/moved') response.writeHead(302, { location: searchParams.get('to') ?? '/' }).end()
    else if (pathname === '/slow') {
      // ?ms= says when it ends; without it never
      response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'max-age=600' })
      response.write('begun ')
      if (searchParams.has('ms')) setTimeout(() => response.end('ended'), Number(searchParams.get('ms')))
    } else send('text/html', pageOf(pathname))
  }

  let server: Server | undefined
  let port = 0
  const site: Site = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    worker: '',
    write(args, config = {}) {
      writeFileSync(join(cwd, 'nearcache.config.json'), JSON.stringify(config))
      let said = ''
      const code = run(['sw', '.', ...args], {
        cwd,
        template: (kind) => (kind === 'worker' ? readyMade : killSwitch),
        print: () => {},
        complain: (text) => {
          said += text
        },
      })
      if (code !== 0) throw new Error(said)
    },
    requests: (path) => received.filter((one) => path === undefined || one.path === path),
    async start() {
      server = createServer(answer)
      await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
    async stop() {
      const stopping = server
      server = undefined
      if (!stopping) return
      const closed = new Promise((resolve) => stopping.close(resolve))
      stopping.closeAllConnections()
      await closed
    },
  }
  await site.start()
  return site
}
