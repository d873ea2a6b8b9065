import { putForward } from '../clock.ts'

/** How the origin can feel. */
export type Mood = 'well' | 'slow' | 'ill' | 'dead'

/** What the origin says of itself. */
export interface OriginState {
  readonly mood: Mood
  /** How far its clock has been put forward, in milliseconds. */
  readonly skippedMs: number
}

// The switches are no part of the shop: they go past its cache with plain fetch, and `no-store` keeps the browser's cache out as well.
async function call(path: string, init?: RequestInit): Promise<OriginState> {
  const response = await fetch(`/control${path}`, { ...init, cache: 'no-store' })
  if (!response.ok) throw new Error(`/control${path} answered ${response.status}`)
  const state = (await response.json()) as OriginState
  putForward(state.skippedMs)
  return state
}

const post = (path: string, body: unknown = {}) => call(path, { method: 'POST', body: JSON.stringify(body) })

export const readOrigin = (): Promise<OriginState> => call('')
export const setMood = (mood: Mood): Promise<OriginState> => post('/mood', { mood })
export const changePrices = (): Promise<OriginState> => post('/prices')
/** Gives one piece another price, in cents; the shop purges what shows it. */
export const setPrice = (slug: string, price: number): Promise<OriginState> => post('/price', { slug, price })
/** Puts the clocks of the origin and of the page forward. */
export const skip = (ms: number): Promise<OriginState> => post('/skip', { ms })
