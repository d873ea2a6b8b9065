import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a schema says of data; nothing while it takes its time. */
interface Check {
  readonly raw: unknown
  readonly schema?: StandardSchemaV1
  result?: StandardSchemaV1.Result<unknown>
  readonly done?: Promise<void>
}

/** What schemas say of one request's data. */
export interface Checks {
  /** At once, or, where a schema takes its time, once it has been told: the same for everyone, and once for the same data. */
  check(raw: unknown, schema: StandardSchemaV1): Check
  /** For `json()`: the schema has a say in what is stored, but what it makes of the data is kept beside it, so that the data stays the same for everyone. */
  readonly accepts: StandardSchemaV1
}

export function createChecks(schemaNow: () => StandardSchemaV1 | undefined, tell: () => void): Checks {
  let checked: Check | undefined

  function check(raw: unknown, schema: StandardSchemaV1): Check {
    // One that takes its time is waited for, whichever it was: one that is written inside a component is another one at each rendering.
    if (checked && checked.raw === raw && (checked.done || checked.schema === schema)) return checked
    const given = schema['~standard'].validate(raw)
    if (!('then' in given)) {
      checked = { raw, schema, result: given }
      return checked
    }
    const ended = (result: StandardSchemaV1.Result<unknown>) => {
      mine.result = result
      tell()
    }
    const mine: Check = {
      raw,
      schema,
      done: given.then(ended, (error) => ended({ issues: [{ message: String(error) }] })),
    }
    checked = mine
    return mine
  }

  return {
    check,
    accepts: {
      '~standard': {
        version: 1,
        vendor: 'nearcache',
        async validate(value) {
          const one = check(value, schemaNow() as StandardSchemaV1)
          await one.done
          return one.result?.issues ? one.result : { value }
        },
      },
    },
  }
}
