import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type InlineConfig } from 'vite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { NearcachePluginOptions } from '../../src/cli/vite.ts'
import type { Shell } from '../../src/validate/worker-options.ts'
import { ensureBuilt, repository } from '../size/bundle.ts'

/** Builds a small site with the plugin as it is published, and tells what its worker was given; `undefined` when there is none. */
async function built(config: Omit<InlineConfig, 'root' | 'plugins'>, options: NearcachePluginOptions) {
  ensureBuilt()
  const { nearcache } = (await import(join(repository, 'dist/cli/vite.js'))) as typeof import('../../src/cli/vite.ts')
  const root = mkdtempSync(join(tmpdir(), 'nearcache-vite-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'public'))
  writeFileSync(join(root, 'public/robots.txt'), '')
  writeFileSync(join(root, 'index.html'), '<script type="module" src="./main.js"></script>')
  writeFileSync(join(root, 'main.js'), 'document.title = "built"')
  await build({ ...config, configFile: false, root, logLevel: 'silent', plugins: [nearcache(options)] })
  const path = join(root, 'dist/nearcache-sw.js')
  return existsSync(path)
    ? JSON.parse(/^const NEARCACHE = (.*);$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? '')
    : undefined
}

const urlsOf = ({ shell }: { readonly shell: Shell }) =>
  shell.files.map(({ url }) => url.replace(/-[\w-]{8}\.js$/, '-HASH.js'))

describe('the plugin', { timeout: 120_000 }, () => {
  test('lists exactly what Vite has built, by hash', async () => {
    const config = await built({ base: '/shop/' }, { page: '/shop/', claim: true })
    expect(config).toMatchObject({ claim: true, shell: { page: '/shop/' } })
    expect(urlsOf(config)).toEqual(['/shop/assets/index-HASH.js', '/shop/', '/shop/robots.txt'])
  })

  test.each(['./', ''])('with a relative base (%j) lists the files from where the worker lies', async (base) => {
    expect(urlsOf(await built({ base }, { page: './' }))).toEqual(['./assets/index-HASH.js', './', './robots.txt'])
  })

  test('refuses a page that is no file, which no visitor would ever see', async () => {
    await expect(built({}, { page: '/index.html' })).rejects.toThrow(
      'page is /index.html, which is no file of the build; there is /assets/',
    )
  })

  test('writes no worker for a server', async () => {
    expect(await built({ build: { ssr: 'main.js' } }, {})).toBeUndefined()
  })
})
