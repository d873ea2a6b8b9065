import { mainPaths } from './main-paths.ts'

/** Runs the engine's main paths with frozen prototypes, as some hardened pages have them, and writes their causes as JSON. */
for (const { prototype } of [
  Object,
  Array,
  Function,
  String,
  Promise,
  Map,
  Set,
  Uint8Array,
  Headers,
  Response,
  Request,
]) {
  Object.freeze(prototype)
}
process.stdout.write(JSON.stringify(await mainPaths()))
