import { build, defineConfig, type Options } from 'tsup'

/** For Node: the command line, and the plugin that does the same at the end of a build. */
const commandLine: Options = {
  config: false,
  entry: { index: 'src/cli/index.ts', vite: 'src/cli/vite.ts' },
  outDir: 'dist/cli',
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  tsconfig: 'tsconfig.json',
  dts: { entry: { vite: 'src/cli/vite.ts' }, compilerOptions: { ignoreDeprecations: '6.0' } },
  splitting: true,
  sourcemap: true,
  silent: true,
}

/** What the command line writes: whole workers, with everything in them. */
const workers: Options = {
  config: false,
  entry: { worker: 'src/cli/ready-made.ts', 'kill-switch': 'src/cli/kill-switch.ts' },
  outDir: 'dist/cli',
  format: ['iife'],
  outExtension: () => ({ js: '.js' }),
  target: 'es2022',
  platform: 'browser',
  noExternal: [/.*/],
  minify: true,
  splitting: false,
  silent: true,
}

export default defineConfig({
  // Two builds of one API: `index` is for production in browsers and must stay small, so it validates no options;
  // `index.development` (Node, and bundlers in development) does. `exports` in package.json chooses.
  entry: [
    'src/index.ts',
    'src/index.development.ts',
    'src/hydration/index.ts',
    'src/purge-feed/index.ts',
    'src/react/index.ts',
    'src/server/index.ts',
    'src/server/redis/index.ts',
    'src/service-worker/index.ts',
    'src/service-worker/register.ts',
    'src/testing/index.ts',
    'src/unstorage/index.ts',
  ],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  tsconfig: 'tsconfig.build.json',
  dts: {
    entry: [
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
    ],
    // tsup 8.5.1 passes baseUrl to the compiler, which TypeScript 6 refuses without this line.
    compilerOptions: { ignoreDeprecations: '6.0' },
  },
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
  async onSuccess() {
    await build(commandLine)
    await build(workers)
  },
})
