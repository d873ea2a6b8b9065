import { inject, onTestFinished } from 'vitest'
import type { site } from './site-page.ts'

// A test in a browser, and the site of site.ts in a frame of its page: what the test calls by name is done in there. Its server is stopped and started by the server of test/support/origin.ts.

type Functions = typeof site
type Answer<Name extends keyof Functions> = Awaited<ReturnType<Functions[Name]>>

const control = async (path: string): Promise<Record<string, never>> =>
  (await fetch(`${inject('origin')}/site${path}`)).json()

/** How long a page has to do what it is asked, in milliseconds: beyond, the test says what it was. */
const PATIENCE_MS = 25_000

/** What a page has promised; rejects with its name when it does not come. */
const promised = <T>(what: string, work: (resolve: (value: T) => void, reject: (error: Error) => void) => void) =>
  new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The page never came to its end with ${what}`)), PATIENCE_MS)
    work((value) => {
      clearTimeout(timer)
      resolve(value)
    }, reject)
  })

/** A page of a site, in a frame. */
async function open(url: string) {
  const frame = document.createElement('iframe')
  const loaded = (what = url) =>
    promised<void>(`loading ${what}`, (resolve) => {
      const listen = ({ data, source }: MessageEvent) => {
        if (data !== 'ready' || source !== frame.contentWindow) return
        removeEventListener('message', listen)
        resolve()
      }
      addEventListener('message', listen)
    })
  const first = loaded()
  frame.src = url
  document.body.append(frame)
  await first

  function call<Name extends keyof Functions>(name: Name, ...args: Parameters<Functions[Name]>): Promise<Answer<Name>> {
    return promised(`${name}(${args})`, (resolve, reject) => {
      const message = crypto.randomUUID()
      const listen = ({ data }: MessageEvent) => {
        if (data?.id !== message) return
        removeEventListener('message', listen)
        if ('error' in data) reject(new Error(data.error))
        else resolve(data.result)
      }
      addEventListener('message', listen)
      frame.contentWindow?.postMessage({ id: message, name, args }, '*')
    })
  }
  return { frame, loaded, call }
}

/** A site of its own, with a page of it in a frame. */
export async function visit(path = '/') {
  const { id, url } = (await control('/start')) as unknown as { id: string; url: string }
  const { frame, loaded, call } = await open(url + path)
  onTestFinished(async () => {
    await call('unregister').catch(() => {})
    frame.remove()
    await control(`/stop?id=${id}`)
  })
  return {
    call,
    url,
    /** Another page of the site, in a frame of its own: to locks, channel, database and worker it is another tab. */
    async another(path = '/') {
      const other = await open(url + path)
      onTestFinished(() => other.frame.remove())
      return other.call
    },
    async go(to: string) {
      const next = loaded(to)
      await call('go', to)
      await next
    },
    async reload() {
      const next = loaded('the page again')
      await call('reload')
      await next
    },
    /** Runs `nearcache sw` for the site. */
    write: (args: readonly string[], config: object = {}) =>
      control(
        `/write?id=${id}&args=${encodeURIComponent(JSON.stringify(args))}&config=${encodeURIComponent(JSON.stringify(config))}`,
      ),
    stop: () => control(`/stop?id=${id}`),
    requests: async (of: string) =>
      (await control(`/requests?id=${id}&path=${encodeURIComponent(of)}`)) as unknown as {
        method: string
        headers: Record<string, string>
      }[],
  }
}

export const seqOf = ({ text }: { text: string }): number => JSON.parse(text).seq
