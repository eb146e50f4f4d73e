/** Text as SQL has it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
