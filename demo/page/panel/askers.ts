import type { Explanation } from 'nearcache'

/** Which context has asked the origin, in plain words. */
export const askers: Readonly<Record<NonNullable<Explanation['askedBy']>, string>> = {
  here: 'this page',
  elsewhere: 'another page',
  worker: 'the worker',
}
