import type { TestContext } from 'node:test';
import S3rver from '@20minutes/s3rver';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { tempFolder } from './files.js';

/** A server that speaks as S3 does, named by the variables of this process until the test ends. */
export async function s3Server(
  t: TestContext,
): Promise<(key: string, body: Buffer | string, encoding?: string) => Promise<void>> {
  const server = new S3rver({
    directory: tempFolder(t),
    ...{ port: 0, address: 'localhost', silent: true },
    configureBuckets: [{ name: 'exports' }],
  });
  const { port } = await server.run();
  t.after(() => server.close());
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://localhost:${port}`,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    // What it says of old versions of Node is no failure of the test.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  });
  const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
  t.after(() => client.destroy());
  return async (key, body, encoding) => {
    const object = { Bucket: 'exports', Key: key, Body: body };
    await client.send(
      new PutObjectCommand(encoding === undefined ? object : { ...object, ContentEncoding: encoding }),
    );
  };
}
