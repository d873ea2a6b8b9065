/** One event of a stream (HTML, server-sent events). */
export interface StreamEvent {
  readonly id?: string
  readonly event: string
  readonly data: unknown
}

/** Reads a stream of events, one after the other, as `EventSource` would. */
export function reading(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''

  /** Every event that is there already, and as many more as it takes to have `count`. */
  async function take(count: number): Promise<StreamEvent[]> {
    const events: StreamEvent[] = []
    while (events.length < count) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        events.push(parse(text.slice(0, end)))
        text = text.slice(end + 2)
        continue
      }
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    return events
  }
  return { take, cancel: () => reader.cancel(), read: () => reader.read() }
}

function parse(block: string): StreamEvent {
  const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2)))
  const { event = 'message', data, id } = fields
  return { event, data: data ? JSON.parse(data) : undefined, ...(id !== undefined && { id }) }
}
