import { inject, onTestFinished } from 'vitest'

const origin = inject('origin')

interface Answer {
  readonly status: number
  readonly type: string
  readonly redirected: boolean
  readonly url: string
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body: string
}

/** A page of the second origin, where that origin is our own. */
export async function ownPage() {
  const frame = document.createElement('iframe')
  const module = new URL('/src/index.development.ts', location.href).href
  frame.src = `${origin}/frame?module=${encodeURIComponent(module)}`
  const ready = new Promise((resolve) => addEventListener('message', resolve, { once: true }))
  document.body.append(frame)
  onTestFinished(() => frame.remove())
  await ready
  const ask = (message: Record<string, unknown>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = crypto.randomUUID()
      const listen = ({ data }: MessageEvent) => {
        if (data.id !== id) return
        removeEventListener('message', listen)
        if (data.error) reject(new Error(data.error))
        else resolve(data.answer)
      }
      addEventListener('message', listen)
      frame.contentWindow?.postMessage({ id, ...message }, origin)
    })
  return {
    ask,
    causeOf: ({ headers }: Answer) => /detail=([a-z-]+)$/.exec(new Map(headers).get('cache-status') ?? '')?.[1],
  }
}
