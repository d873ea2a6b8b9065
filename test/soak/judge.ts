import { type BodyFacts, items } from './body.ts'
import type { Given } from './origin.ts'
import type { Disk, OnDisk, Selector, Told, Walk } from './page.ts'

type Purged = Extract<Told, { type: 'purged' }>

/** What a page has been promised so far, and what was seen last. */
export interface Promised {
  /** The purges that have resolved as durable. */
  readonly purges: readonly Purged[]
  /** Per name, when the response was asked for that lay on the disk at the last walk. */
  readonly lay: ReadonlyMap<string, number>
}

/** When the last of these purges was asked for, for each name that one covers. */
export function latest(purges: readonly Purged[], mode?: Purged['mode']): Map<string, number> {
  const moments = new Map<string, number>()
  for (const purge of purges) {
    if (mode && purge.mode !== mode) continue
    for (const name of purge.names) moments.set(name, Math.max(purge.asked, moments.get(name) ?? 0))
  }
  return moments
}

/** For each name, when the newest response was asked for that lies on the disk. */
export function newest(disk: Disk | undefined): Map<string, number> {
  const moments = new Map<string, number>()
  for (const { name, body } of disk?.responses ?? [])
    if (body) moments.set(name, Math.max(body.asked, moments.get(name) ?? 0))
  return moments
}

/**
 * What is wrong with what a killed browser has left: a sentence for each thing. Every visible record is whole and the origin's (DESIGN.md §12, law 6; F-01), every purge that has resolved
 * is kept (F-02), and the count of bytes is not below what lies there by more than one write.
 */
export function judge({ disk, served, failures }: Walk, promised: Promised, given: Given): string[] {
  const broken: string[] = []
  const hard = latest(promised.purges, 'hard')
  const any = latest(promised.purges)

  const isGiven = (name: string, { version, ...body }: BodyFacts) => {
    const one = given.bodies.get(version)
    return body.name === name && one?.name === name && one.asked === body.asked
  }
  const looked = (where: string, name: string, body: BodyFacts | undefined): body is BodyFacts => {
    if (!body) broken.push(`${where} ${name} is torn`)
    else if (!isGiven(name, body)) broken.push(`${where} ${name} has a body that is not its own: ${show(body)}`)
    return body !== undefined
  }

  if (disk) judgeDisk(disk, promised, broken)
  else if (promised.purges.length > 0) broken.push('The database has gone')

  for (const { name, body, ...response } of disk?.responses ?? []) {
    if (!looked('On the disk,', name, body)) continue
    const purge = promised.purges.find(
      ({ mode, names, asked, epoch }) =>
        mode === 'hard' && names.includes(name) && body.asked < asked && !isOlder(response, epoch, disk?.log),
    )
    if (purge) broken.push(`On the disk, ${name} ${show(body)} counts as newer than the hard purge ${show(purge)}`)
    if (body.asked < (promised.lay.get(name) ?? 0))
      broken.push(
        `On the disk, ${name} ${show(body)} lies where one lay that was asked for at ${promised.lay.get(name)}`,
      )
  }

  for (const { name, body, mode, cause } of served) {
    const where = `Served (${mode}, ${cause}),`
    if (!looked(where, name, body)) continue
    if (body.asked < (hard.get(name) ?? 0))
      broken.push(`${where} ${name} ${show(body)}, hard purged at ${hard.get(name)}`)
    const checked = Math.max(body.asked, given.confirmed.get(body.version) ?? 0)
    if (cause === 'fresh' && checked < (any.get(name) ?? 0))
      broken.push(`${where} ${name} ${show(body)}, purged at ${any.get(name)}`)
  }

  // The other way round: what no purge bears on must be of use, or looking at what is served would prove nothing.
  if (failures.length > 0) return broken
  const usable = disk?.responses.filter((one) => one.body && isUntouched(one, disk.log)) ?? []
  for (const { name, body } of usable) {
    const isServed = served.some((one) => one.name === name && one.body?.version === body?.version)
    if (!isServed) broken.push(`On the disk, ${name} ${show(body)} is whole and not purged, but it is not served`)
  }
  return broken
}

function judgeDisk({ log, unreadable, counted, lying, largest }: Disk, { purges }: Promised, broken: string[]): void {
  for (const key of unreadable) broken.push(`${key} holds no record`)
  if (counted < lying - largest)
    broken.push(`${counted} bytes are counted, but ${lying} lie there, and the largest record has ${largest}`)
  for (const { epoch, ...purge } of purges) {
    if (log?.incarnation === epoch.incarnation && log.last >= epoch.number) continue
    const seen = log ? `${log.incarnation} up to ${log.last}` : 'none'
    broken.push(`The log is ${seen}, but a purge was resolved as ${show({ ...epoch, ...purge })}`)
    break
  }
  const numbers = log?.purges.map(({ number }) => number) ?? []
  if (log && (numbers.at(-1) ?? log.floor) !== log.last)
    broken.push(`The log ends at ${numbers.at(-1)}, not at ${log.last}`)
}

/** Whether a response counts as asked for before the purge with this place in the log. */
const isOlder = ({ epoch }: Pick<OnDisk, 'epoch'>, purge: Purged['epoch'], log: Disk['log']): boolean =>
  epoch.incarnation !== log?.incarnation || epoch.number < purge.number

/** Whether no purge in the log bears on a response. */
const isUntouched = ({ url, tags, epoch }: OnDisk, log: Disk['log']): boolean =>
  log !== undefined &&
  epoch.incarnation === log.incarnation &&
  epoch.number >= log.floor &&
  !log.purges.some(({ number, selector }) => number > epoch.number && covers(selector, url, tags))

function covers({ all, urls, tags, pattern }: Selector, url: string, labels: readonly string[]): boolean {
  const [start, end] = pattern?.split('*') ?? []
  return (
    all === true ||
    urls?.includes(url) === true ||
    tags?.some((tag) => labels.includes(tag)) === true ||
    (start !== undefined && url.startsWith(start) && url.endsWith(end ?? ''))
  )
}

const show = (what: unknown): string => {
  const { names, ...rest } = what as { names?: readonly string[] }
  return JSON.stringify({ ...rest, ...(names && { names: names.length < items.length ? names.length : 'all' }) })
}
