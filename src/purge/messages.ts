import * as z from 'zod/mini'

/** The shape of what a purge says, wherever it comes from: a webhook, another node, the feed. */
const text = z.string().check(z.minLength(1), z.maxLength(8192))
const spread = z.number().check(z.nonnegative(), z.maximum(86_400_000))

/** What may be purged over the feed. A partition is one browser's business, and its name nobody else's. */
export const selector = z.union([
  z.strictObject({ url: text }),
  z.strictObject({ tag: text }),
  z.strictObject({ tags: z.array(text).check(z.minLength(1), z.maxLength(1000)) }),
  z.strictObject({ pattern: text }),
  z.strictObject({ all: z.literal(true) }),
])

const mode = z.enum(['soft', 'hard'])

/** What a webhook carries: `{ selector, mode?, at?, spread? }`; `at` in milliseconds since 1970 or as ISO 8601, `spread` in milliseconds. */
export const webhookPayload = z.strictObject({
  selector,
  mode: z.optional(mode),
  at: z.optional(z.union([z.number().check(z.nonnegative()), z.iso.datetime({ offset: true })])),
  spread: z.optional(spread),
})

/** One purge of the feed. Later versions may say more. */
const purge = z.object({
  number: z.int().check(z.positive()),
  mark: text,
  selector,
  mode,
  spread: z.optional(spread),
})

const position = z.object({ number: z.int().check(z.nonnegative()), mark: text })

/** What the feed says first on each connection: where the log ends, and whether the purges up to there follow. */
const greeting = z.object({ ...position.shape, complete: z.boolean(), heartbeatMs: z.number().check(z.positive()) })

/** The feed as one answer. */
const slice = z.object({ ...position.shape, complete: z.boolean(), purges: z.array(z.unknown()) })

/** A purge as somebody asks for it. */
export interface FeedPurge {
  readonly selector: z.infer<typeof selector>
  readonly mode: z.infer<typeof mode>
  /** The window over which browsers spread their refills, in milliseconds. */
  readonly spread?: number | undefined
}

/** A place in a log of purges: a number, and a mark that is random for each. Two logs that went apart (a database restored, a process started anew) agree in numbers, not in marks. */
export interface Position {
  /** 0: before the first purge; then the mark names the log. */
  readonly number: number
  readonly mark: string
}

/** A purge in its place. */
export interface LoggedPurge extends FeedPurge, Position {}

/** The purges after a position. */
export interface Slice extends Position {
  /** `false`: it is not known, or no longer kept, what was purged between the position asked for and this one. */
  readonly complete: boolean
  /** Those after the position asked for, in their order, without a gap; none where it is not `complete`. The slice's own position is that of the last one. */
  readonly purges: readonly LoggedPurge[]
}

const progress = z.object({ number: z.int().check(z.nonnegative()), mark: z.optional(text) })

/** What the page that follows hands on to the others: what it did, and whether the cache has that on disk. */
const channelMessage = z.discriminatedUnion('do', [
  z.object({ v: z.literal(1), durable: z.boolean(), do: z.literal('note'), progress }),
  z.object({ v: z.literal(1), durable: z.boolean(), do: z.literal('forget'), progress }),
  z.object({
    v: z.literal(1),
    durable: z.boolean(),
    do: z.literal('apply'),
    progress,
    purge: z.object({ selector, mode, spread: z.optional(spread) }),
  }),
])

export const readChannelMessage = (message: unknown): z.infer<typeof channelMessage> | undefined =>
  channelMessage.safeParse(message).data

export type Greeting = z.infer<typeof greeting>

/** Reads JSON of the feed. @returns `undefined` when it is something else */
const reader =
  <T>(schema: z.ZodMiniType<T>) =>
  (json: string): T | undefined => {
    try {
      return schema.safeParse(JSON.parse(json)).data
    } catch {
      return undefined
    }
  }

export const readPurge: (json: string) => LoggedPurge | undefined = reader(purge)
export const readGreeting: (json: string) => Greeting | undefined = reader(greeting)
const readAnySlice = reader(slice)
export const readPosition: (json: string) => Position | undefined = reader(position)

/** The same for a slice. One with a purge that this version cannot read says no more than where the log ends: what it would have to purge is not known here. */
export function readSlice(json: string): Slice | undefined {
  const read = readAnySlice(json)
  if (!read) return undefined
  const purges = read.purges.flatMap((one) => purge.safeParse(one).data ?? [])
  return purges.length === read.purges.length ? { ...read, purges } : { ...read, complete: false, purges: [] }
}

/** A position as text: `12.k3f9x`, for `Last-Event-ID`. */
export const positionText = ({ number, mark }: Position): string => `${number}.${mark}`

/** Reads `12.k3f9x` or `12`. @returns `undefined` for anything else */
export function parsePosition(text: string | null): { readonly number: number; readonly mark?: string } | undefined {
  const found = /^(\d{1,15})(?:\.([\w-]{1,64}))?$/.exec(text ?? '')
  return found ? { number: Number(found[1]), ...(found[2] !== undefined && { mark: found[2] }) } : undefined
}
