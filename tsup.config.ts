import { defineConfig } from 'tsup'

/** Each has its declarations; `index.development` has those of `index`. */
const entries = [
  'src/index.ts',
  'src/hydration/index.ts',
  'src/purge-feed/index.ts',
  'src/react/index.ts',
  'src/server/index.ts',
  'src/server/redis/index.ts',
  'src/service-worker/index.ts',
  'src/service-worker/register.ts',
  'src/testing/index.ts',
  'src/unstorage/index.ts',
]

export default defineConfig({
  // Two builds of one API: `index` is for production in browsers and must stay small, so it validates no options;
  // `index.development` (Node, and bundlers in development) does. `exports` in package.json chooses.
  entry: [...entries, 'src/index.development.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  tsconfig: 'tsconfig.build.json',
  dts: {
    entry: entries,
    // tsup 8.5.1 passes baseUrl to the compiler, which TypeScript 6 refuses without this line.
    compilerOptions: { ignoreDeprecations: '6.0' },
  },
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
})
