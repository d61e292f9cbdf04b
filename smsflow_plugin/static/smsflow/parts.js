/* Counts the parts of a text as the server does (smsflow_plugin.messaging.parts), with the server's own tables. */
((root) => {
  const GSM = 'GSM-7';
  const UCS2 = 'UCS-2';
  const SYMBOL = /^[\p{So}\p{Sk}\p{Mn}\p{Me}\p{Cf}\p{Co}]$/u;

  /* No character may be cut in two: a pair that does not fit goes into the next part. */
  const pack = (widths, each) => {
    let parts = 1;
    let used = 0;
    for (const width of widths) {
      if (used + width > each) {
        parts += 1;
        used = 0;
      }
      used += width;
    }
    return parts;
  };

  const makeCounter = ({ basic, extension, plain, letters }) => {
    const gsm = new Set([...basic, ...extension]);
    const double = new Set(extension);
    const plainOf = new Map(Object.entries(plain));
    const lettersOf = new Map(Object.entries(letters));

    const foreign = (text) => [...new Set([...text].filter((character) => !gsm.has(character)))];

    const count = (text) => {
      const characters = [...text];
      const forcedBy = foreign(text);
      const ucs2 = forcedBy.length > 0;
      const [single, each] = ucs2 ? [70, 67] : [160, 153];
      const widths = characters.map((character) => {
        if (ucs2) return character.length;
        return double.has(character) ? 2 : 1;
      });
      const units = widths.reduce((sum, width) => sum + width, 0);
      let parts = units ? 1 : 0;
      if (units > single) parts = pack(widths, each);
      return { encoding: ucs2 ? UCS2 : GSM, parts, characters: characters.length, units, forcedBy };
    };

    const toPlain = (text) =>
      [...text.normalize('NFC')].map((character) => plainOf.get(character) ?? character).join('');

    const toGsm = (text) => {
      if (!foreign(text).length) return text;
      const changed = toPlain(text);
      return foreign(changed).length ? text : changed;
    };

    const standIn = (character) => {
      if (plainOf.has(character)) return plainOf.get(character);
      if (lettersOf.has(character)) return lettersOf.get(character);
      const [base] = character.normalize('NFD');
      if (base !== character) return basic.includes(base) ? base : null;
      return SYMBOL.test(character) ? '' : null;
    };

    /* Every copy of one character, however it is composed. */
    const replace = (text, character, words) => {
      const composed = character.normalize('NFC');
      return [...text.normalize('NFC')].map((each) => (each === composed ? words : each)).join('');
    };

    return { count, toGsm, toPlain, standIn, replace, isGsm: (character) => gsm.has(character) };
  };

  root.smsflowParts = { makeCounter };
})(globalThis);
