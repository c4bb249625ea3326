import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { fileStorage } from '../../storage/files';
import { MissingKeyError } from '../../storage/storage';
import { type Headers, ServiceError, type ServiceResponse } from '../http/message';
import { document, parseDocument } from '../http/xml';
import type { VerifiedBody } from './body';
import { keptHeaders } from './objects';
import { notOffered, requestText } from './offered';
import { type S3Request, s3Namespace } from './request';
import { type ObjectStore, sameEtag, writeConditionOf } from './store';

export interface Answered {
  readonly response: ServiceResponse;
  /** Whether an object was written. */
  readonly created: boolean;
}

/** Multipart uploads: how clients send what is too large for one request (the AWS command line from 8 MB on). */
export interface Uploads {
  /** Answers a request with `?uploads` or `?uploadId=...`. */
  handle(store: ObjectStore, request: S3Request, body: VerifiedBody): Promise<Answered>;
}

export interface UploadsOptions {
  /** Where parts are kept until they are one object. */
  readonly folder: string;
  /** Bytes of all parts of an upload, at most. */
  readonly longest: number;
}

const partNumbers = /^(?:[1-9]\d{0,3}|10000)$/;
const partKey = (upload: string, part: number): string => `uploads/${upload}/${part}`;

const beginningSchema = z.strictObject({ key: z.string(), headers: z.record(z.string(), z.string()) });
const completionSchema = z.looseObject({
  CompleteMultipartUpload: z.looseObject({
    Part: z.array(z.looseObject({ PartNumber: z.string().regex(partNumbers), ETag: z.string() })).min(1),
  }),
});

const plain = (response: ServiceResponse): Answered => ({ response, created: false });

export function createUploads({ folder, longest }: UploadsOptions): Uploads {
  const parts = fileStorage(folder);
  const discard = (upload: string) => rm(path.join(folder, 'uploads', upload), { recursive: true, force: true });
  const beginningKey = (upload: string): string => `uploads/${upload}/beginning.json`;

  /** What CreateMultipartUpload said; NoSuchUpload for ids that it did not give, and for another key. */
  async function beginningOf(upload: string, key: string): Promise<Headers> {
    const unknown = new ServiceError(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
    if (!/^[0-9a-f-]{36}$/.test(upload)) throw unknown;
    try {
      const text = new TextDecoder().decode(await parts.get(beginningKey(upload)));
      const beginning = beginningSchema.parse(JSON.parse(text));
      if (beginning.key === key) return beginning.headers;
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
    }
    throw unknown;
  }

  async function begin({ bucket, key, headers }: S3Request): Promise<ServiceResponse> {
    const upload = randomUUID();
    await parts.put(beginningKey(upload), JSON.stringify({ key, headers: keptHeaders(headers) }));
    const content = { Bucket: bucket, Key: key, UploadId: upload };
    return { status: 200, body: document('InitiateMultipartUploadResult', s3Namespace, content) };
  }

  async function keep(
    upload: string,
    { query }: S3Request,
    { body, checksums }: VerifiedBody,
  ): Promise<ServiceResponse> {
    const number = query.get('partNumber') ?? '';
    if (!partNumbers.test(number)) {
      throw new ServiceError(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    }
    const others = (await parts.list(`uploads/${upload}/`)).filter(
      ({ key }) => key !== partKey(upload, Number(number)),
    );
    if (others.reduce((sum, { size }) => sum + size, body.length) > longest) {
      throw new ServiceError(
        400,
        'EntityTooLarge',
        `Your proposed upload exceeds the maximum of ${longest} bytes here`,
      );
    }
    await parts.put(partKey(upload, Number(number)), body);
    return { status: 200, headers: { etag: etagOf(body), ...checksums } };
  }

  async function complete(
    store: ObjectStore,
    upload: string,
    request: S3Request,
    headers: Headers,
    { body }: VerifiedBody,
  ): Promise<ServiceResponse> {
    const listed = partsOf(body);
    const bodies: Uint8Array[] = [];
    for (const { number, etag } of listed) {
      const part = await parts.get(partKey(upload, number)).catch(() => undefined);
      if (part === undefined || !sameEtag(etag, etagOf(part))) {
        throw new ServiceError(400, 'InvalidPart', `Part ${number} could not be found, or has another ETag`);
      }
      bodies.push(part);
    }
    const { bucket, key } = request;
    const { etag } = await store.write(key, Buffer.concat(bodies), headers, writeConditionOf(request.headers));
    await discard(upload);
    const content = { Bucket: bucket, Key: key, ETag: etag };
    return { status: 200, body: document('CompleteMultipartUploadResult', s3Namespace, content) };
  }

  return {
    async handle(store, request, body) {
      const { method, query, key } = request;
      if (method === 'POST' && query.has('uploads')) return plain(await begin(request));
      const upload = query.get('uploadId') ?? '';
      const headers = await beginningOf(upload, key);
      if (method === 'PUT') return plain(await keep(upload, request, body));
      if (method === 'POST') return { response: await complete(store, upload, request, headers, body), created: true };
      if (method === 'DELETE') {
        await discard(upload);
        return plain({ status: 204 });
      }
      throw notOffered(requestText(request));
    },
  };
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

/** The parts that CompleteMultipartUpload lists, in their order, which has to be ascending. */
function partsOf(body: Uint8Array): { readonly number: number; readonly etag: string }[] {
  const parsed = completionSchema.safeParse(parsedXml(body));
  if (!parsed.success) throw new ServiceError(400, 'MalformedXML', 'The XML you provided was not well-formed');
  const listed = parsed.data.CompleteMultipartUpload.Part;
  const numbered = listed.map(({ PartNumber, ETag }) => ({ number: Number(PartNumber), etag: ETag }));
  if (numbered.some(({ number }, i) => i > 0 && number <= numbered[i - 1].number)) {
    throw new ServiceError(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  return numbered;
}

function parsedXml(body: Uint8Array): unknown {
  try {
    return parseDocument(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
