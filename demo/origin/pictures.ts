import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/** A picture whose name carries a hash of its content: another picture, another name. */
export interface Picture {
  readonly path: string
  readonly content: Buffer
}

const folder = new URL('../pictures/', import.meta.url)

/** The pictures by the name of their piece. */
export const pictures: ReadonlyMap<string, Picture> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.svg'))
    .map((file) => {
      const content = readFileSync(new URL(file, folder))
      const hash = createHash('sha256').update(content).digest('hex').slice(0, 10)
      const slug = file.slice(0, -'.svg'.length)
      return [slug, { path: `/api/pictures/${slug}.${hash}.svg`, content }]
    }),
)
