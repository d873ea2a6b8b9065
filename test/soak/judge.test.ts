import { describe, expect, test } from 'vitest'
import { judge, type Promised } from './judge.ts'
import type { Given } from './origin.ts'
import type { Disk, OnDisk, Served, Walk } from './page.ts'

const name = '/r/1'
const url = `http://127.0.0.1${name}`
const body = { name, version: 7, asked: 10 }
const epoch = (number: number) => ({ incarnation: 'life', number })

const stored: OnDisk = { url, name, tags: ['group-1'], epoch: epoch(2), body }
const served: Served = { name, mode: 'only-if-cached', cause: 'fresh', body }
const log: NonNullable<Disk['log']> = {
  incarnation: 'life',
  last: 2,
  floor: 0,
  purges: [
    { number: 1, mode: 'hard', selector: { urls: [url] } },
    { number: 2, mode: 'soft', selector: { tags: ['group-1'] } },
  ],
}
const disk: Disk = { log, responses: [stored], unreadable: [], counted: 2_000, lying: 2_000, largest: 500 }
const purge: Promised['purges'][number] = {
  type: 'purged',
  mode: 'hard',
  names: [name],
  asked: 5,
  epoch: epoch(1),
  durable: true,
}
const later = { ...purge, asked: 20, epoch: epoch(3) }
const logged = {
  ...log,
  last: 3,
  purges: [...log.purges, { number: 3, mode: 'hard', selector: { all: true } as const }],
}
const given: Given = { bodies: new Map([[7, body]]), confirmed: new Map() }

interface Case {
  readonly disk?: Partial<Disk> | 'none'
  readonly walk?: Partial<Walk>
  readonly promised?: Partial<Promised>
  readonly given?: Given
}

const judged = (one: Case) =>
  judge(
    {
      ...(one.disk !== 'none' && { disk: { ...disk, ...one.disk } }),
      served: [served],
      failures: [],
      witness: 0,
      ...one.walk,
    },
    { purges: [purge], lay: new Map(), ...one.promised },
    one.given ?? given,
  )

describe('what a killed browser has left', () => {
  test.for<[string, Case]>([
    ['it is whole, its own, and newer than every purge', {}],
    ['a later purge hides it', { disk: { log: logged }, walk: { served: [] }, promised: { purges: [purge, later] } }],
    [
      'a later purge hides it, and the validation after it has shown it',
      {
        promised: { purges: [{ ...later, mode: 'soft', epoch: epoch(2) }] },
        given: { ...given, confirmed: new Map([[7, 21]]) },
      },
    ],
    ['one write is not counted yet', { disk: { counted: 1_500 } }],
    [
      'there is no database, and nothing was promised',
      { disk: 'none', walk: { served: [] }, promised: { purges: [] } },
    ],
  ])('is as it must be when %s', ([, one]) => {
    expect(judged(one)).toEqual([])
  })

  const torn = { url, name, tags: [], epoch: epoch(2) }
  test.for<[string, Case, RegExp]>([
    ['a body is torn', { disk: { responses: [torn] } }, /^On the disk, \/r\/1 is torn$/],
    [
      'a torn body is served',
      { walk: { served: [{ name, mode: 'default', cause: 'fresh' }, served] } },
      /^Served .* is torn$/,
    ],
    [
      'a body is that of another URL',
      { given: { ...given, bodies: new Map([[7, { ...body, name: '/r/2' }]]) } },
      /not its own/,
    ],
    ['the origin never gave the body', { given: { ...given, bodies: new Map() } }, /not its own/],
    ['the database has gone', { disk: 'none', walk: { served: [] } }, /^The database has gone$/],
    ['a record cannot be read', { disk: { unreadable: ['["record"]'] } }, /holds no record/],
    [
      'the log does not hold a resolved purge',
      { promised: { purges: [later] }, walk: { served: [] } },
      /^The log is life up to 2/,
    ],
    ['the log has begun anew', { disk: { log: { ...log, incarnation: 'other' } } }, /^The log is other/],
    [
      'the log ends before its number',
      { disk: { log: { ...logged, purges: log.purges } }, walk: { served: [] } },
      /^The log ends at 2/,
    ],
    [
      'a response of before counts as newer than a hard purge',
      { disk: { responses: [{ ...stored, epoch: epoch(3) }], log: logged }, promised: { purges: [later] } },
      /counts as newer/,
    ],
    [
      'a hard purged response is served',
      { disk: { log: logged }, promised: { purges: [later] } },
      /hard purged at 20$/,
    ],
    [
      'a soft purged response is served as fresh',
      { disk: { log: logged }, promised: { purges: [{ ...later, mode: 'soft' }] } },
      /, purged at 20$/,
    ],
    ['an older response is back', { promised: { lay: new Map([[name, 12]]) } }, /lies where one lay/],
    ['bytes are not counted', { disk: { counted: 1_400 } }, /^1400 bytes are counted/],
    ['what is whole and not purged is not served', { walk: { served: [] } }, /but it is not served$/],
  ])('is broken when %s', ([, one, expected]) => {
    expect(judged(one).filter((sentence) => expected.test(sentence))).not.toEqual([])
  })
})
