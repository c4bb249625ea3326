import { BadInputError } from '../errors';
import type { Techniques } from '../group/verify';

/**
 * What a verifying process shares between balls: BAVERLY_LEMMAS=on proves and uses lemmas (docs/lemmas.md), which pays for many balls of a deep
 * network at a small radius only, and is off unless asked for.
 *
 * @throws BadInputError for another word
 */
export function techniquesFromEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Techniques {
  const lemmas = env.BAVERLY_LEMMAS || 'off';
  if (lemmas === 'on' || lemmas === 'off') return { lemmas: lemmas === 'on' };
  throw new BadInputError('environment', [`BAVERLY_LEMMAS is ${JSON.stringify(lemmas)}; set it to on or off`]);
}
