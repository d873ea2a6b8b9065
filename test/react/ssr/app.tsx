import { Suspense } from 'react'
import { useFetch, useSuspenseFetch } from '../../../src/react/index.ts'

/** The same screen on the server and in the page: what everyone sees, a part of it that comes later, what one user sees, and what is not awaited on the server. */
export function App() {
  return (
    <main>
      <Suspense fallback={<p>…</p>}>
        <Product />
      </Suspense>
      <Suspense fallback={<p>…</p>}>
        <Greeting />
      </Suspense>
      <Stock />
    </main>
  )
}

function Product() {
  const { data } = useSuspenseFetch<{ name: string }>('/api/product')
  return (
    <>
      <h1>{data.name}</h1>
      <Suspense fallback={<p>…</p>}>
        <Reviews />
      </Suspense>
    </>
  )
}

function Reviews() {
  const { data } = useSuspenseFetch<string[]>('/api/reviews')
  return <p className="reviews">{data.join()}</p>
}

function Greeting() {
  const { data } = useSuspenseFetch<{ user: string }>('/api/me')
  return <p className="user">{data.user}</p>
}

function Stock() {
  const { data, isStale, isRevalidating } = useFetch<{ left: number }>('/api/stock')
  return <p className="stock">{`${data?.left ?? 'unknown'} ${isStale} ${isRevalidating}`}</p>
}
