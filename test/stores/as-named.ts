import type { CacheKey, Snapshot, Store, StoreKey, Write } from '../../src/ports/store.ts'

/** The store, seen from inside a named partition: every partition here, the unnamed one as well, has a name there. */
export function asNamed(store: Store): Store {
  const named = (partition: string) => `user ${partition}`
  const placeOf = (key: StoreKey): StoreKey =>
    key[0] === 'record' ? ['record', named(key[1]), key[2]] : ['body', named(key[1]), key[2], key[3]]
  const writeOf = (write: Write): Write =>
    write.kind === 'purge' ? write : { ...write, partition: named(write.partition) }
  const viewOf = ({ log, record, body }: Snapshot) => ({
    log,
    record: (partition: string, key: CacheKey) => record(named(partition), key),
    body: (partition: string, key: CacheKey, id: string) => body(named(partition), key, id),
  })
  return {
    read: async (keys) => viewOf(await store.read(keys.map(placeOf))),
    update: (keys, change, options) =>
      store.update(keys.map(placeOf), (snapshot) => change(viewOf(snapshot)).map(writeOf), options),
    close: async () => store.close?.(),
  }
}
