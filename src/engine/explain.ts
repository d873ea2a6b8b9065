import { purgeEffect } from '../http/purge-effect.ts'
import type { Explanation } from './api.ts'
import { type Core, ruleName, WORKER } from './core.ts'
import { decideNow, never } from './decide-now.ts'
import { publicTags } from './dehydration.ts'
import { allowedWhileIll } from './ill-origin.ts'
import type { Presented } from './presented.ts'

/** Request fields whose values are shown to nobody. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization']

/** What would happen to this request now and why, without doing it. */
export async function explain(presented: Presented, core: Core): Promise<Explanation> {
  const { key, passBy, request, rule } = presented
  const record = core.store.peek(key) ?? (passBy ? undefined : await core.store.read(key))
  const decision = passBy ? undefined : decideNow(presented, record, core, never)
  const stored = decision && 'stored' in decision ? decision.stored : undefined
  const isAsking = decision?.kind === 'validate' || decision?.kind === 'forward'
  const isSpared = isAsking && allowedWhileIll(stored, presented, core) !== undefined
  const purge = stored && purgeEffect(stored, core.store.log())
  return {
    url: request.url,
    decision: isSpared ? 'reuse-and-revalidate' : (decision?.kind ?? 'bypass'),
    cause: isSpared ? 'stale-if-error' : (decision?.cause ?? (passBy as 'method' | 'bypass')),
    // Credentials are part of some keys; they are nobody's business.
    key: key.map((part, index) => (key[index - 1] === 'authorization' ? '…' : part)),
    candidates: (record?.responses ?? []).map(({ url, status, vary, nominated, tags, epoch, responseTime, body }) => ({
      url,
      status,
      vary: typeof vary === 'string' ? vary : [...vary],
      nominated: nominated.map(([name, value]) => [name, CREDENTIALS.includes(name) ? '…' : value] as const),
      tags: publicTags(tags),
      epoch: { ...epoch },
      responseTime,
      bytes: body.size,
    })),
    ...(decision && 'numbers' in decision && decision.numbers && { numbers: { ...decision.numbers } }),
    ...(stored && { askedBy: whoIs(stored.context, core) }),
    ...(purge && { purge: { mode: purge.mode, number: purge.number } }),
    ...ruleName(rule),
  }
}

const whoIs = (context: string, { settings }: Core): NonNullable<Explanation['askedBy']> =>
  context === settings.context ? 'here' : context.startsWith(WORKER) ? 'worker' : 'elsewhere'
