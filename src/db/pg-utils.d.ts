/** The part of pg that quotes, which @types/pg knows only as members of the whole. */
declare module 'pg/lib/utils.js' {
  const utils: {
    escapeIdentifier(name: string): string;
    escapeLiteral(text: string): string;
  };
  export default utils;
}
