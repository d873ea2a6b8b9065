import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import type { nearcache } from '../../src/cli/vite.ts'
import { ensureBuilt, repository } from '../size/bundle.ts'

test('the plugin lists exactly what Vite has built, by hash', { timeout: 120_000 }, async () => {
  ensureBuilt()
  const { nearcache: built } = (await import(join(repository, 'dist/cli/vite.js'))) as { nearcache: typeof nearcache }
  const root = mkdtempSync(join(tmpdir(), 'nearcache-vite-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'public'))
  writeFileSync(join(root, 'public/robots.txt'), '')
  writeFileSync(join(root, 'index.html'), '<script type="module" src="./main.js"></script>')
  writeFileSync(join(root, 'main.js'), 'document.title = "built"')
  await build({
    configFile: false,
    root,
    base: '/shop/',
    logLevel: 'error',
    plugins: [built({ page: '/shop/', claim: true })],
  })
  const text = readFileSync(join(root, 'dist/nearcache-sw.js'), 'utf8')
  const config = JSON.parse(/^const NEARCACHE = (.*);$/m.exec(text)?.[1] ?? '')
  expect(config).toMatchObject({ claim: true, shell: { page: '/shop/' } })
  const urls = config.shell.files.map(({ url }: { url: string }) => url.replace(/-[\w-]{8}\.js$/, '-HASH.js'))
  expect(urls).toEqual(['/shop/assets/index-HASH.js', '/shop/', '/shop/robots.txt'])
})
