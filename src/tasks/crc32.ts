/** CRC-32 (the one of zip and zlib) of a text's UTF-8 bytes: decides, once and for all, which problems are held out. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
  return word;
});

/** Computes the checksum as an unsigned 32-bit integer. */
export function crc32(text: string): number {
  let word = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) word = (word >>> 8) ^ TABLE[(word ^ byte) & 0xff];
  return ~word >>> 0;
}
