/**
 * Writes the golden records of this version: what lies in the databases of `scene.ts` after it was played.
 *
 *   npx tsx test/stores/golden/write.ts
 *
 * Once a version is published its file stays as it is: later versions must go on reading it. So it is never overwritten; before a version is published, delete its file to write it anew.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encodeGolden } from './encoding.ts'
import { playScene } from './scene.ts'

const golden = await playScene()
const path = fileURLToPath(new URL(`${golden.version}.json`, import.meta.url))
if (existsSync(path)) {
  console.error(`There are golden records of ${golden.version} already. They stay as they are`)
  process.exitCode = 1
} else {
  writeFileSync(path, encodeGolden(golden))
  console.log(`Wrote ${path}`)
}
