import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// npm run worlds: a million steps, on every processor there is. WORLD_STEPS and WORLD_SEED say how many, and from which seed on.
export default defineConfig({
  root: fileURLToPath(new URL('../../../', import.meta.url)),
  test: { include: ['test/testing/worlds/*.walk.ts'], maxWorkers: availableParallelism() },
})
