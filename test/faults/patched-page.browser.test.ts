import { expect, inject, onTestFinished, test } from 'vitest'

const origin = inject('origin')

/** How the main paths go in a page of the other origin. */
async function paths(kind: '' | 'hostile'): Promise<unknown> {
  const frame = document.createElement('iframe')
  frame.src = `${origin}/patched?${kind}#${crypto.randomUUID()}`
  onTestFinished(() => frame.remove())
  const told = new Promise((resolve) =>
    addEventListener('message', ({ data, source }) => source === frame.contentWindow && resolve(data)),
  )
  document.body.append(frame)
  return told
}

test('F-80: on a page whose scripts have patched prototypes, Promise and fetch before us, everything is answered as elsewhere', async () => {
  const expected = {
    told: [
      [200, 'validated', 'miss'],
      [200, 'validated', 'fresh'],
      [200, 'validated', 'fresh'],
      [206, 'vali', 'fresh'],
      [200, 'validated', 'miss'],
      [200, 'validated', 'validated'],
      [200, 'validated', 'method'],
      [200, 'validated', 'validated'],
      [200, 'validated', 'validated'],
      [200, 'validated', 'purged'],
    ],
    durable: true,
  }
  expect(await paths('')).toEqual(expected)
  expect(await paths('hostile')).toEqual(expected)
})
