import Module from 'node:module'

/** Packages that ask for React get version 18: what they require is found by Node, not by Vite's aliases. */
const loader = Module as unknown as { _resolveFilename(name: string, ...rest: unknown[]): string }
const found = loader._resolveFilename
loader._resolveFilename = (name, ...rest) =>
  found.call(loader, name.replace(/^react(-dom)?(?=\/|$)/, 'react$1-18'), ...rest)

// What these tests say would mean nothing with another one.
const require = Module.createRequire(import.meta.url)
const versions = [(await import('react')).version, require('react').version, require('react-dom').version]
if (!versions.every((version) => version.startsWith('18.'))) throw new Error(`Not React 18: ${versions}`)
