/** Why a response was served as it was: the detail of its last `Cache-Status` member, which is ours (RFC 9211 §2). */
export const causeOf = (response: Response): string | undefined =>
  /detail=([a-z-]+)$/.exec(response.headers.get('cache-status') ?? '')?.[1]
