// How a word is typed so that a Unix shell takes it for one word.

/**
 * Quotes a word for a shell, for advice that can be copied.
 *
 * @param word such as a path
 * @returns the word itself if a shell takes nothing in it for anything else
 */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
