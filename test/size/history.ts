/** The line of one version in the table of sizes, in CHANGELOG.md. */
export const historyLine = (version: string, bytes: readonly number[]): string =>
  `| ${version} | ${bytes.map((one) => (one / 1000).toFixed(1)).join(' | ')} |`

const HEAD = '| version |'

/**
 * The changelog with this version's line in its table of sizes: in the place of the one that is there, or on top.
 *
 * @throws Error where there is no such table
 */
export function withHistoryLine(changelog: string, line: string): string {
  const lines = changelog.split('\n')
  const head = lines.findIndex((one) => one.startsWith(HEAD))
  if (head < 0) throw new Error(`CHANGELOG.md has no table that begins with "${HEAD}"`)
  const version = line.split('|')[1]
  const first = head + 2
  const isSame = lines[first]?.split('|')[1] === version
  lines.splice(first, isSame ? 1 : 0, line)
  return lines.join('\n')
}
