// Quotes words for a Unix shell.

/**
 * Quotes a word for a shell, for advice that can be copied.
 *
 * @param word such as a path
 * @returns the word, in quotes if it has characters that are special to a shell
 */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
