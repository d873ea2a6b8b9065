/** `url` without its fragment, which is no part of what is asked for (RFC 9110 §4.2.5). */
export const withoutFragment = (url: string): string => url.split('#', 1)[0] as string

/** The URL that a reference in a response stands for, without its fragment; `undefined` when it is none, or of another origin than `base`. */
export function sameOriginUrl(reference: string, base: string): string | undefined {
  try {
    const url = new URL(reference, base)
    return url.origin === new URL(base).origin ? withoutFragment(url.href) : undefined
  } catch {
    return undefined
  }
}
