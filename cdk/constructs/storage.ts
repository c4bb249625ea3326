import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/**
 * The bucket of models, data sets, policies, runs and what was learned (docs/pipeline.md), and one for the log of
 * who accessed it. Both outlive the stack.
 *
 * Encrypted with keys that S3 manages: a key of our own would cost a call to KMS for most of the many small objects of a
 * run and would keep nobody out whom the bucket's policies let in.
 */
export class DataStorage extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const guarded = {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...guarded,
      lifecycleRules: [{ id: 'expire', expiration: Duration.days(90) }],
    });
    this.bucket = new Bucket(this, 'Data', {
      ...guarded,
      versioned: true,
      // Bucket declares an optional property of IBucket as possibly undefined, which exactOptionalPropertyTypes tells apart.
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: 'data/',
      lifecycleRules: [
        // The results of a run stay until somebody deletes them; what was deleted or overwritten can be had back for a month.
        { id: 'deleted-runs', prefix: 'runs/', noncurrentVersionExpiration: Duration.days(30) },
        { id: 'leftovers', abortIncompleteMultipartUploadAfter: Duration.days(1), expiredObjectDeleteMarker: true },
      ],
    });
    // The property itself, because `eventBridgeEnabled` of the Bucket construct would add a function and a role only to set it.
    (this.bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
  }
}
