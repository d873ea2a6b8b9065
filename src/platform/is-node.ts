/** Whether this is Node itself. Others that answer to its name (Deno, Bun, a window of Electron) hand responses to code of their own, which looks inside of them. */
export function isNode(): boolean {
  const { process } = globalThis as { process?: { release?: { name?: string } } }
  return process?.release?.name === 'node' && !['Deno', 'Bun', 'location'].some((name) => name in globalThis)
}
