import type { HeaderList } from '../http/message.ts'

/** The fields of a request or a response as data: names in lower case, one line per name but for `set-cookie`. */
export const headerList = (headers: Headers): HeaderList => [...headers]

/** Fields as fetch takes them, of a list of their own: where Headers are patched they may keep it, and write into it. */
export const toHeaders = (list: HeaderList): Headers => new Headers([...(list as [string, string][])])
