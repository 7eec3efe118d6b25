/** A TOML basic string. JSON's escapes are all TOML's too (https://toml.io/en/v1.0.0#string). */
export function quoteToml(text: string): string {
  return JSON.stringify(text);
}
