import { z } from 'zod';
import file from './prices.json';

const price = z.number().nonnegative();

/**
 * What AWS charges, in US dollars for one unit, without free tier, discounts, tax and storage by the month. `prices.json` is the only
 * place where a price stands: to renew it, or for another region, change that file and its date.
 */
export const pricesSchema = z.strictObject({
  region: z.string(),
  /** When the prices were looked up (ISO 8601). */
  date: z.iso.date(),
  currency: z.literal('USD'),
  lambdaGbSecond: z.strictObject({ arm64: price, x64: price }),
  lambdaRequest: price,
  /** One state transition of a Standard execution. */
  standardTransition: price,
  expressRequest: price,
  /** Memory of an Express execution comes in chunks of 64 MB. */
  expressGbSecond: price,
  /** PUT, and LIST at the same price. */
  s3Put: price,
  s3Get: price,
});
export type Prices = z.infer<typeof pricesSchema>;

export const prices: Prices = pricesSchema.parse(file);
