import { type Cause, type Decision, isOriginError } from '../http/decide.ts'
import type { Epoch, EpochMs, StoredResponse } from '../http/message.ts'
import type { SharedBody } from './shared-body.ts'

/** What came of asking the origin: the head of its response, and what it means for the store. */
export interface Arrival {
  readonly cause: Cause
  /** The origin's own response. Its body is in use when `shared` is there. Absent when it was not asked, since another context had just stored what is needed. */
  readonly raw?: Response
  /** What other callers may decide on: a confirmed response with its body, or one that is stored when its body has come whole. */
  readonly stored?: StoredResponse
  /** `whole` gives the bytes as they are kept: the earlier ones where they are the same. */
  readonly shared?: SharedBody
  /** Resolves when the store has it, or will not: `false` when it came whole and other contexts cannot find it on the disk. Absent when nothing is to be stored. Never rejects. */
  readonly kept?: Promise<unknown>
}

/** Whether the origin has answered that it fails (RFC 5861 §4). */
export const hasFailed = ({ raw }: Arrival): boolean => raw !== undefined && isOriginError(raw.status)

/** Lets go of a response that nobody reads, so that its connection is free again. */
export function discard(raw: Response | undefined): void {
  if (!raw?.body?.locked) raw?.body?.cancel().catch(() => {})
}

/** A last word on a body before it is stored: whether it is what the caller can use. */
export type Accept = (bytes: Uint8Array<ArrayBuffer>) => boolean | Promise<boolean>

/** When, and where in the order of things, a request was sent. */
export interface Dispatch {
  readonly epoch: Epoch
  readonly context: string
  readonly sequence: number
  readonly requestTime: EpochMs
}

/** A decision to ask the origin. */
export type Asking = Extract<Decision, { kind: 'validate' | 'forward' }>

/** What the one who asks tells the flight. */
export interface Landing {
  /** The last reader of the body has gone before its end. */
  onIdle(): void
}
