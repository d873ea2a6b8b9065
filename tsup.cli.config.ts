import { defineConfig, type Options } from 'tsup'

// A build of its own, after the other one: that one removes all declarations in dist when it has made its own.

/** For Node: the command line, and the plugin that does the same at the end of a build. */
const commandLine: Options = {
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

export default defineConfig([commandLine, workers])
