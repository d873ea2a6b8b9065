// `npm run demo`: runs demo/server.ts in this process, and ends when npm is told to end.
import { register } from 'tsx/esm/api'

// npm passes SIGTERM on to the shell between it and us, and many shells die of it without telling their child.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
}, 100).unref()

register()
await import('../../demo/server.ts')
