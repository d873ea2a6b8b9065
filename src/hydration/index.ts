export { dehydratedScript, readDehydrated, type ScriptOptions } from './dehydrated-script.ts'
