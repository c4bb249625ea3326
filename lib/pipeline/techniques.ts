import { BadInputError } from '../errors';
import { type Techniques, usualTechniques } from '../group/techniques';

const variables: Readonly<Record<keyof Techniques, string>> = {
  lemmas: 'BAVERLY_LEMMAS',
  transfer: 'BAVERLY_TRANSFER',
  jointBounds: 'BAVERLY_JOINT_BOUNDS',
  jointSearch: 'BAVERLY_JOINT_SEARCH',
};

/**
 * What a verifying process shares between the balls of a mini-batch: each technique by a variable of its own, `on` or `off`; unset or empty is what
 * is usual (docs/engine.md, section 4).
 *
 * @throws BadInputError for other words, all of them at once
 */
export function techniquesFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Required<Techniques> {
  const techniques = { ...usualTechniques };
  const problems: string[] = [];
  for (const name of Object.keys(variables) as (keyof Techniques)[]) {
    const word = env[variables[name]] || undefined;
    if (word === 'on' || word === 'off') techniques[name] = word === 'on';
    else if (word !== undefined) problems.push(`${variables[name]} is ${JSON.stringify(word)}; set it to on or off`);
  }
  if (problems.length > 0) throw new BadInputError('environment', problems);
  return techniques;
}
