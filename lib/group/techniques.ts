/** Ways of settling members by what was proven for others, or together with them (docs/engine.md, section 4); each can be left out. */
export interface Techniques {
  /** Proves boxes of deep layers for many members at once, and settles whatever lies in one (docs/lemmas.md). */
  readonly lemmas: boolean;
  /** Tries on members what proved similar ones, before searching them (docs/search.md, section 7). */
  readonly transfer?: boolean;
  /** Bounds all members by the same rows first, where that is seen to pay (docs/soundness.md, "Joint bounds"). */
  readonly jointBounds?: boolean;
  /** Searches members at the same time, with common calls (docs/search.md, section 8). Not with `transfer`, by which members profit from those before them. */
  readonly jointSearch?: boolean;
}

/** What balls one by one use. */
export const noTechniques: Required<Techniques> = {
  lemmas: false,
  transfer: false,
  jointBounds: false,
  jointSearch: false,
};

/**
 * What mini-batches use unless told otherwise: only what is seen to pay, which none of these does (bench/README.md). What mini-batches always share
 * are calls: of the bounds of all members, and of the attacks on all that are left.
 */
export const usualTechniques: Required<Techniques> = noTechniques;
