/** What nearcache's own tests use, for yours. */

export { type Chaos, type ChaosOptions, chaos } from './chaos.ts'
export type { WorldContext } from './context.ts'
export {
  type Fault,
  type Hold,
  type ReceivedRequest,
  type Script,
  type ScriptedOrigin,
  type ScriptedOriginOptions,
  type ScriptedResponse,
  scriptedOrigin,
} from './scripted-origin.ts'
export { seededRandom } from './seeded-random.ts'
export { type StoreContractOptions, storeContract } from './store-contract.ts'
export type { ChannelTrouble } from './virtual-channel.ts'
export { type VirtualClock, virtualClock } from './virtual-clock.ts'
export {
  type DatabaseFault,
  type DatabasePoint,
  type VirtualIndexedDb,
  virtualIndexedDB,
} from './virtual-indexed-db.ts'
export { createWorld, type World, type WorldOptions } from './world.ts'
