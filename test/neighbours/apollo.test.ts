import { ApolloClient, gql, InMemoryCache } from '@apollo/client'
import { expect, test } from 'vitest'
import { linkOver } from '../../demo/recipes/apollo.ts'
import { harness } from '../engine/harness.ts'

const cupQuery = gql`query Cup { cup { id name } }`

test('Apollo Client: queries by GET are answered by their headers, also with network-only; a mutation invalidates them', async () => {
  const { cache, origin, clock } = harness()
  let name = 'Cup'
  origin.serves('GET /graphql?*', () => ({
    cacheControl: 'max-age=60',
    headers: { 'cache-groups': '"graphql"' },
    json: { data: { cup: { __typename: 'Cup', id: '1', name } } },
  }))
  origin.serves('POST /graphql', () => {
    name = 'Jar'
    return { headers: { 'cache-group-invalidation': '"graphql"' }, json: { data: { rename: true } } }
  })
  const client = new ApolloClient({ cache: new InMemoryCache(), link: linkOver(cache, `${origin.url}/graphql`) })
  const read = async () =>
    (await client.query<{ cup: { name: string } }>({ query: cupQuery, fetchPolicy: 'network-only' })).data?.cup.name

  expect([await read(), await read(), await read()]).toEqual(['Cup', 'Cup', 'Cup'])
  expect(origin.requests).toHaveLength(1)
  await client.mutate({ mutation: gql`mutation Rename { rename }` })
  expect(await read()).toBe('Jar')
  await clock.advance(60_000)
  await read()
  expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'GET'])
})
