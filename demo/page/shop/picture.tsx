import { useEffect, useState } from 'react'
import { cache } from '../cache.ts'

/**
 * A picture that comes through the cache, and so is there when the origin is not. (An `<img>` with a plain address goes past
 * `cache.fetch`, and to the service worker.)
 */
export function Picture({ path, alt }: { readonly path: string | undefined; readonly alt: string }) {
  const [source, setSource] = useState<string>()

  useEffect(() => {
    if (path === undefined) return
    let made: string | undefined
    let gone = false
    cache
      .fetch(path)
      .then((response) => (response.ok ? response.blob() : undefined))
      .then((blob) => {
        if (!blob || gone) return
        made = URL.createObjectURL(blob)
        setSource(made)
      })
      .catch(() => {}) // the place stays empty; the panel tells why
    return () => {
      gone = true
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [path])

  return (
    <span className="picture">{source !== undefined && <img src={source} alt={alt} width="600" height="600" />}</span>
  )
}
