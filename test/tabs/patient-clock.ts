import { systemClock } from '../../src/platform/system-clock.ts'
import type { Clock } from '../../src/ports/clock.ts'

/** The time of day, with a thousand times the patience: on a machine that is busy with other things, nothing must look dead that is only slow. */
export const patientClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(1_000 * ms, signal) }
