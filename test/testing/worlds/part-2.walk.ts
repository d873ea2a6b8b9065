import { walkPart } from './part.ts'

walkPart(2)
