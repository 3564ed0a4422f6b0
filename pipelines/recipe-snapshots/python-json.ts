/**
 * JSON as Python's json.dumps writes it by default, which is how the application writes its snapshots: `, `
 * and `: ` between the parts, ASCII only, and a float always with a point or an exponent.
 */

/** `text` as a JSON string of ASCII characters. */
export function pythonText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not printable ASCII is meant
  return JSON.stringify(text).replace(/[^\x00-\x7e]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A finite number as Python's repr of a float: 24.0, 0.3333, 1e-05, 1e+16. */
export function pythonFloat(number: number): string {
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e16))
    return number.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  if (Object.is(number, -0)) return '-0.0';
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

/** A list of values that are JSON already. */
export function pythonList(values: readonly string[]): string {
  return `[${values.join(', ')}]`;
}

/** An object of names and values that are JSON already, in their order. */
export function pythonObject(values: readonly (readonly [name: string, json: string])[]): string {
  return `{${values.map(([name, json]) => `${pythonText(name)}: ${json}`).join(', ')}}`;
}
