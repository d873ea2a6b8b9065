/**
 * Rows of a database as JSON, exactly: what JSON cannot say is an object with one member whose name starts with `$`. One row stands on each line, so that a difference between two files can be read.
 */
export type Row = readonly [key: IDBValidKey, value: unknown]

/** What lies in the databases of one profile, by their names. */
export interface Golden {
  /** The version of the package that wrote it. */
  readonly version: string
  /** When it was last written to, by the clock of those who wrote. */
  readonly at: number
  readonly databases: Readonly<Record<string, readonly Row[]>>
}

export function encodeGolden({ version, at, databases }: Golden): string {
  const all = Object.entries(databases).map(([name, rows]) => {
    const lines = rows.map((row) => `      ${JSON.stringify(encode(row))}`)
    return `    ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n    ]`
  })
  return `{\n  "version": ${JSON.stringify(version)},\n  "at": ${at},\n  "databases": {\n${all.join(',\n')}\n  }\n}\n`
}

export function decodeGolden(text: string): Golden {
  const { version, at, databases } = JSON.parse(text)
  return { version, at, databases: decode(databases) as Golden['databases'] }
}

/** @throws for what would come back as something else */
function encode(value: unknown): unknown {
  if (value === undefined) return { $undefined: true }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? '-0' : `${value}` }
  }
  if (value instanceof Uint8Array) return encodeBytes(value)
  if (Array.isArray(value)) return Array.from(value, encode)
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    throw new TypeError(`No golden record has a ${Object.prototype.toString.call(value)}`)
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => {
      if (name.startsWith('$')) throw new TypeError(`No golden record has a member ${name}`)
      return [name, encode(held)]
    }),
  )
}

function encodeBytes(bytes: Uint8Array): unknown {
  const [first] = bytes
  return first !== undefined && bytes.length > 64 && bytes.every((byte) => byte === first)
    ? { $fill: [first, bytes.length] }
    : { $bytes: Buffer.from(bytes).toString('base64') }
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  const [name, held] = Object.entries(value)[0] ?? []
  switch (name) {
    case '$undefined':
      return undefined
    case '$number':
      return Number(held)
    case '$bytes':
      return new Uint8Array(Buffer.from(held, 'base64'))
    case '$fill':
      return new Uint8Array(held[1]).fill(held[0])
    default:
      return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, decode(held)]))
  }
}
