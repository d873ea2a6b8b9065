import * as z from 'zod/mini'
import type { CacheOptions } from '../engine/options.ts'
import { CacheError } from '../errors.ts'

const ms = z.number().check(z.nonnegative())
const bytes = z.number().check(z.nonnegative())
const names = z.array(z.string().check(z.minLength(1)))
const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', 'a function')
const hasMethods = (...methods: string[]) =>
  z.custom<object>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof Reflect.get(value, method) === 'function'),
    `an object with ${methods.map((method) => `${method}()`).join(' and ')}`,
  )
const optional = z.optional

const key = z.strictObject({ ignore: optional(names), allow: optional(names), sort: optional(z.boolean()) })
const share = z.number().check(z.nonnegative(), z.maximum(1))
const earlyExpiry = z.union([z.literal(false), z.strictObject({ beta: optional(ms), phase: optional(share) })])
const attempts = z.int().check(z.minimum(1))
const retry = z.strictObject({ attempts: optional(attempts), baseMs: optional(ms), maxMs: optional(ms) })
const circuit = z.strictObject({ failures: optional(attempts), baseMs: optional(ms), maxMs: optional(ms) })
const fallback = z.strictObject({
  status: optional(z.int().check(z.minimum(200), z.maximum(599))),
  headers: optional(z.record(z.string(), z.string())),
  body: optional(z.string()),
})
const budget = z.strictObject({ maxBytes: optional(bytes), maxEntryBytes: optional(bytes) })
const disk = z.strictObject({
  maxBytes: optional(bytes),
  maxEntryBytes: optional(bytes),
  encrypt: optional(z.boolean()),
})

const rule = z.strictObject({
  match: z.union([z.string().check(z.minLength(1)), callable, hasMethods('test')]),
  name: optional(z.string()),
  maxAgeMs: optional(ms),
  staleWhileRevalidateMs: optional(ms),
  staleIfErrorMs: optional(ms),
  override: optional(z.boolean()),
  tags: optional(names),
  durable: optional(z.boolean()),
  pinned: optional(z.boolean()),
  maxKeys: optional(z.int().check(z.minimum(1))),
  key: optional(key),
  softMs: optional(ms),
  hardMs: optional(ms),
  openCircuitGraceMs: optional(ms),
  negativeMaxAgeMs: optional(ms),
  fallback: optional(z.union([callable, fallback])),
  earlyExpiry: optional(earlyExpiry),
})

const options = z.strictObject({
  name: optional(z.string().check(z.minLength(1))),
  store: optional(z.union([z.enum(['auto', 'memory', 'indexeddb']), hasMethods('read', 'update')])),
  partition: optional(z.string().check(z.minLength(1))),
  fetch: optional(callable),
  clock: optional(hasMethods('now', 'sleep')),
  random: optional(callable),
  memory: optional(budget),
  disk: optional(disk),
  key: optional(key),
  rules: optional(z.array(rule)),
  earlyExpiry: optional(earlyExpiry),
  retry: optional(z.union([z.literal(false), retry])),
  circuit: optional(z.union([z.literal(false), circuit])),
  base: optional(z.url()),
  deadlines: optional(
    z.strictObject({ softMs: optional(ms), hardMs: optional(ms), diskMs: optional(ms), lockMs: optional(ms) }),
  ),
  tagField: optional(z.string().check(z.regex(/^[!#-'*+.^-z|~\w-]+$/))),
  cacheStatus: optional(z.boolean()),
})

/**
 * The options as they were given, once they are found right.
 *
 * @throws CacheError with code `option`: its message and `path` name the option, the value, and what is allowed
 */
export function checkOptions(given: CacheOptions): CacheOptions {
  const result = options.safeParse(given)
  if (result.success) return given
  const issue = result.error.issues.find((one) => one.code !== 'unrecognized_keys' || ownKeys(one).length > 0)
  if (!issue) return given
  throw describe(issue, given)
}

/** Without what a polyfill has put on `Object.prototype`, which zod takes for keys of every object. */
const ownKeys = ({ keys }: z.core.$ZodIssueUnrecognizedKeys): string[] =>
  keys.filter((key) => !(key in Object.prototype))

function describe(issue: z.core.$ZodIssue, given: unknown): CacheError {
  if (issue.code === 'unrecognized_keys') {
    const path = pathOf([...issue.path, ownKeys(issue)[0] as string])
    return new CacheError('option', `createCache() knows no option ${path}. ${allowedKeys(issue.path)}`, { path })
  }
  const path = pathOf(issue.path) || 'options'
  const value = issue.path.reduce<unknown>(
    (part, name) => (part as Record<PropertyKey, unknown> | undefined)?.[name],
    given,
  )
  return new CacheError('option', `${path} is ${show(value)}; it must be ${allowed(issue)}`, { path })
}

/** As it is written in code: `rules[0].maxAgeMs`. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  try {
    return typeof value === 'number' || value === undefined
      ? String(value)
      : (JSON.stringify(value)?.slice(0, 80) ?? String(value))
  } catch {
    return typeof value
  }
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'object' ? 'an object' : issue.expected === 'array' ? 'an array' : `a ${issue.expected}`
    case 'too_small':
      return issue.origin === 'string' ? 'a string that is not empty' : `${issue.minimum} or more`
    case 'too_big':
      return `${issue.maximum} or less`
    case 'invalid_value':
      return issue.values.map(show).join(' or ')
    case 'invalid_format':
      return issue.format === 'regex' ? 'the name of a field' : 'an absolute URL'
    case 'invalid_union':
      return [...new Set(issue.errors.flat().map(allowed))].join(', or ')
    default:
      return issue.message
  }
}

function allowedKeys(path: readonly PropertyKey[]): string {
  const within = path.filter((part) => typeof part !== 'number')
  const shape =
    within.length === 0
      ? options
      : within.at(-1) === 'rules'
        ? rule
        : { key, memory: budget, disk, retry, circuit, fallback }[String(within.at(-1))]
  return shape && 'def' in shape ? `It knows ${Object.keys(shape.def.shape).join(', ')}` : ''
}
