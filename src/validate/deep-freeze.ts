/** Freezes what `JSON.parse` or a schema gave, all the way down, without recursion (a body may be nested very deeply). Class instances and typed arrays are left alone. */
export function deepFreeze<T>(data: T): T {
  const open: unknown[] = [data]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) continue
    const prototype = Object.getPrototypeOf(value)
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) continue
    Object.freeze(value)
    for (const part of Object.values(value)) open.push(part)
  }
  return data
}
