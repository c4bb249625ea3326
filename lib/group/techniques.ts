/** Ways of settling members by what was proven for others, or together with them (docs/engine.md, section 4); each can be left out. */
export interface Techniques {
  /** Proves boxes of deep layers for many members at once, and settles whatever lies in one (docs/lemmas.md). */
  readonly lemmas: boolean;
  /** Tries on members what proved similar ones, before searching them (docs/search.md, section 7). */
  readonly transfer?: boolean;
  /** Bounds all members by the same rows first, where that is seen to pay (docs/soundness.md, "Joint bounds"). */
  readonly jointBounds?: boolean;
  /** Searches members at the same time, with common calls (docs/search.md, section 8); by default on. Not with
   * `transfer`, by which members profit from those before them. */
  readonly jointSearch?: boolean;
}

/** What mini-batches use unless told otherwise: what was seen to pay. */
export const usualTechniques: Required<Techniques> = {
  lemmas: false,
  transfer: false,
  jointBounds: false,
  jointSearch: true,
};

/** What balls one by one use. */
export const noTechniques: Required<Techniques> = {
  lemmas: false,
  transfer: false,
  jointBounds: false,
  jointSearch: false,
};
