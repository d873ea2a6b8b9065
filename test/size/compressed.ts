import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** The weight of one bundle, in bytes. */
export interface Weight {
  readonly minified: number
  readonly gzip: number
  readonly brotli: number
}

/** As a server would send it that compresses as well as it can. */
export const weigh = (code: string): Weight => ({
  minified: Buffer.byteLength(code),
  gzip: gzipSync(code, { level: constants.Z_BEST_COMPRESSION }).byteLength,
  brotli: brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } })
    .byteLength,
})
