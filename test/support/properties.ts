import { configureGlobal } from 'fast-check'

// What a property tries is the same in each run, so that a red run is one commit's fault; PROPERTY_SEED and
// PROPERTY_RUNS look further (CONTRIBUTING.md).
const given = (name: string): number | undefined => (process.env[name] ? Number(process.env[name]) : undefined)
configureGlobal({ seed: given('PROPERTY_SEED') ?? 9111, numRuns: given('PROPERTY_RUNS') ?? 100 })
