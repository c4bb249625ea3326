import { modelHash } from '../../lib/network/hash';
import { decodeModel, encodeModel, type ModelProto } from '../../lib/network/protobuf';
import { attributes, doubleTensor, floatTensor, int64Tensor, tensorInfo } from '../../lib/network/tensor';
import { randomConvNet, randomMlp, randomResidualNet } from '../support/models';

test('a model survives encoding and decoding', () => {
  const model: ModelProto = {
    irVersion: 8,
    producerName: 'test',
    opsetImport: [{ domain: 'ai.onnx', version: 17 }],
    graph: {
      name: 'g',
      node: [
        {
          name: 'n',
          opType: 'Op',
          domain: 'd',
          input: ['x', '', 'w'],
          output: ['y'],
          attribute: attributes({ i: -3, s: 'SAME', ints: [1, -2], f: { float: 0.5 }, fs: { floats: [1, 2] } }),
        },
      ],
      initializer: [
        floatTensor('w', [2], Float32Array.of(1, -2)),
        doubleTensor('d', [1], Float64Array.of(Math.PI)),
        int64Tensor('i', [1, -1]),
        { name: 'f', dims: [2], dataType: 1, floatData: [1, 2] },
      ],
      input: [tensorInfo('x', ['batch', 3])],
      output: [tensorInfo('y', [1, 3])],
    },
  };
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Uint8Array ? [...v] : v)));
  const back = decodeModel(encodeModel(model));
  for (const [i, tensor] of (back.graph?.initializer ?? []).entries()) {
    expect([...(tensor.rawData ?? [])]).toEqual([...(model.graph?.initializer?.[i].rawData ?? [])]);
  }
  const withoutBytes = (m: ModelProto) =>
    plain({ ...m, graph: { ...m.graph, initializer: undefined, node: undefined } });
  expect(withoutBytes(back)).toEqual(withoutBytes(model));
  const [node] = back.graph?.node ?? [];
  expect(node.input).toEqual(['x', '', 'w']);
  expect(node.attribute?.map(({ name, i, f, ints, floats }) => [name, i, f, ints, floats])).toEqual([
    ['i', -3, undefined, undefined, undefined],
    ['s', undefined, undefined, undefined, undefined],
    ['ints', undefined, undefined, [1, -2], undefined],
    ['f', undefined, 0.5, undefined, undefined],
    ['fs', undefined, undefined, undefined, [1, 2]],
  ]);
  expect(new TextDecoder().decode(node.attribute?.[1].s)).toBe('SAME');
});

test('the hash of a model is the SHA-256 of its bytes', () => {
  expect(modelHash(new TextEncoder().encode('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('seeded test models repeat, and differ by seed', () => {
  for (const make of [(seed: number) => randomMlp([4, 3, 2], seed), randomConvNet, randomResidualNet]) {
    expect(modelHash(make(1))).toBe(modelHash(make(1)));
    expect(modelHash(make(1))).not.toBe(modelHash(make(2)));
  }
});
