import { useFetch } from 'nearcache/react'
import { useEffect, useState } from 'react'

/**
 * A picture that comes through the cache, and so is there when the origin is not. (An `<img>` with a plain address goes past
 * `cache.fetch`, and to the service worker.)
 */
export function Picture({ path, alt }: { readonly path: string | undefined; readonly alt: string }) {
  // where it fails the place stays empty; the panel tells why
  const { data: blob } = useFetch(path ?? null, { as: 'blob' })
  const [source, setSource] = useState<string>()

  useEffect(() => {
    if (!blob) return
    const made = URL.createObjectURL(blob)
    setSource(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])

  return (
    <span className="picture">
      {blob && source !== undefined && <img src={source} alt={alt} width="600" height="600" />}
    </span>
  )
}
