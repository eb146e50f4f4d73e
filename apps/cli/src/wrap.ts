/** A sentence in lines of at most `width` characters, where its words are no longer. */
export function wrap(text: string, width = 100): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (Array.from(longer).length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join('\n');
}
