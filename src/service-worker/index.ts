export type { Kind, Route, ServiceWorkerOptions, Shell, ShellFile } from '../validate/worker-options.ts'
export { installCache } from './install-cache.ts'
export type { WorkerScope } from './scope.ts'
