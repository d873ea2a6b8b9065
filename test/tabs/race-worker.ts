import { installCache, type WorkerScope } from '../../src/service-worker/index.ts'
import { answerCalls, createRacer, reports } from './race-context.ts'

const racer = createRacer('race')
const { options, ...does } = racer
const { name, store, fetch, deadlines, earlyExpiry } = options
installCache(
  globalThis as unknown as WorkerScope,
  {
    claim: true,
    skipWaiting: true,
    ...{ name, store, fetch, deadlines, earlyExpiry },
  } as Parameters<typeof installCache>[1],
)
answerCalls('worker', { ...does, hear: () => reports })
