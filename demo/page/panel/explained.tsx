import type { DecisionNumbers, Explanation } from 'nearcache'
import { type ReactNode, useEffect, useState } from 'react'
import { cache } from '../cache.ts'
import type { Language } from '../language.ts'
import { duration, size } from './amounts.ts'
import { askers } from './askers.ts'
import { causes } from './causes.ts'
import type { RequestEntry } from './record.ts'

interface ExplainedProps {
  readonly entry: RequestEntry
  /** Changes as time passes: what would happen now may be another thing than a second ago. */
  readonly now: number
  readonly language: Language
}

const decisions: Readonly<Record<Explanation['decision'], string>> = {
  reuse: 'It would come from the store, and nobody would be asked.',
  'reuse-and-revalidate': 'It would come from the store at once, and be refreshed behind.',
  validate: 'The origin would be asked whether it is still the same.',
  forward: 'The origin would be asked for it.',
  refuse: 'It would be refused, since only the store may be asked.',
  bypass: 'It would go past the cache.',
}

const lifetimeSources: Readonly<Record<DecisionNumbers['lifetimeSource'], string>> = {
  'max-age': 'Cache-Control: max-age',
  expires: 'the Expires field',
  heuristic: 'a tenth of the time since Last-Modified, as its headers name no lifetime',
  rule: 'a rule of the page',
  none: 'its headers, which name none',
}

/** Why a request was answered as it was, and what would happen now. Nothing is asked for, and nothing is counted. */
export function Explained({ entry: { url, method, cause }, now, language }: ExplainedProps) {
  const [explanation, setExplanation] = useState<Explanation>()

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again as time passes
  useEffect(() => {
    let gone = false
    const init = { method: method || 'GET', headers: { 'accept-language': language } }
    cache.explain(url, init).then((answer) => !gone && setExplanation(answer))
    return () => {
      gone = true
    }
  }, [url, method, language, now])

  const numbers = explanation?.numbers
  const current = explanation?.candidates.at(-1)
  return (
    <div className="explained" data-testid="explained">
      <p>
        <strong>Then:</strong> {causes[cause].meaning}
      </p>
      {explanation && (
        <>
          <p>
            <strong>Now:</strong> {decisions[explanation.decision]}
          </p>
          <dl>
            <Fact name="Decision">
              {explanation.decision}, because of “{explanation.cause}”
            </Fact>
            {numbers && (
              <>
                <Fact name="Age">{duration(numbers.ageMs)}</Fact>
                <Fact name="Lifetime">
                  {duration(numbers.lifetimeMs)}, from {lifetimeSources[numbers.lifetimeSource]}
                </Fact>
                <Fact name={numbers.staleForMs < 0 ? 'Fresh for another' : 'Stale for'}>
                  {duration(Math.abs(numbers.staleForMs))}
                </Fact>
                <Fact name="Shown while refreshed">{window(numbers.staleWhileRevalidateMs)}</Fact>
                <Fact name="Shown on error">{window(numbers.staleIfErrorMs)}</Fact>
              </>
            )}
            {explanation.askedBy && <Fact name="The origin was asked by">{askers[explanation.askedBy]}</Fact>}
            {explanation.purge && <Fact name="Purged">{explanation.purge.mode}</Fact>}
            <Fact name="In the store">{inStore(explanation)}</Fact>
            {current && current.tags.length > 0 && <Fact name="Tags">{current.tags.join(', ')}</Fact>}
          </dl>
        </>
      )}
    </div>
  )
}

const window = (ms: number): string => (ms > 0 ? `for ${duration(ms)} after its lifetime` : 'not allowed')

function inStore({ candidates }: Explanation): string {
  if (candidates.length === 0) return 'nothing'
  const versions = candidates.map(({ nominated, bytes }) => {
    const by = nominated.map(([, value]) => value).join(', ')
    return by === '' ? size(bytes) : `${by} (${size(bytes)})`
  })
  return versions.join(' and ')
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
