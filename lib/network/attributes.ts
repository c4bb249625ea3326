import type { AttributeProto, TensorProto } from './protobuf';
import { refuse } from './values';

/** The attributes of a node, read by name and type; an absent one gives the fallback. */
export class Attributes {
  private readonly byName: ReadonlyMap<string, AttributeProto>;

  constructor(attributes: readonly AttributeProto[]) {
    this.byName = new Map(attributes.map((attribute) => [attribute.name ?? '', attribute]));
    for (const { name, refAttrName } of attributes) {
      if (refAttrName) refuse(`attribute ${name} refers to a function's attribute ${refAttrName}`);
    }
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  int(name: string, fallback: number): number {
    const attribute = this.byName.get(name);
    return attribute ? (attribute.i ?? 0) : fallback;
  }

  float(name: string, fallback: number): number {
    const attribute = this.byName.get(name);
    return attribute ? (attribute.f ?? 0) : fallback;
  }

  string(name: string, fallback: string): string {
    const attribute = this.byName.get(name);
    return attribute ? new TextDecoder().decode(attribute.s) : fallback;
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.byName.get(name);
    return attribute && (attribute.ints ?? []);
  }

  floats(name: string): readonly number[] | undefined {
    const attribute = this.byName.get(name);
    return attribute && (attribute.floats ?? []);
  }

  tensor(name: string): TensorProto | undefined {
    return this.byName.get(name)?.t;
  }
}
