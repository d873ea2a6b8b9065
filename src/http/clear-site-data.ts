import { listMembers } from './fields.ts'

/**
 * Whether `Clear-Site-Data` asks for stored responses to be cleared: `"cache"`, `"storage"` or `"*"`, in quotes. Unknown types are ignored.
 *
 * @see Clear Site Data section 3.1
 */
export const clearsCache = (value: string): boolean =>
  listMembers(value).some((member) => ['"cache"', '"storage"', '"*"'].includes(member))
