// What FCM, APNs and the push services of browsers are to us, in one process for one test: they check every request as their
// published documentation says (signatures, headers, the whole form of bodies), answer as it says, and tell what they got.
// Nothing here is shared with the code under test: signatures are node's own, payloads are decrypted by http_ece.
//
// The first argument is JSON: `now` (seconds), the time of the test. It prints one line of JSON: where it is and the
// credentials it gave us. Then each line on standard input is a command (see `commands`), answered by one line of JSON.

import { createECDH, createPublicKey, createVerify, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createInterface } from 'node:readline';
import ece from 'http_ece';

let { now } = JSON.parse(process.argv[2]);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const apple = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key) => key.export({ type: 'pkcs8', format: 'pem' });
const KEY = 'ABC123DEFG';
const TEAM = 'DEF123GHIJ';
const TOPIC = 'edu.example.rooms';
const PROJECT = 'rooms-test';
const EMAIL = 'push@rooms-test.iam.gserviceaccount.com';
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let origin;
let got = [];
const faults = [];
const forced = [];
const gone = new Set();
const accessTokens = new Map();
const subscriptions = new Map();
let lifetime = 3600;

class Refusal extends Error {
  constructor(status, body, headers = {}) {
    super(String(status));
    Object.assign(this, { status, body, headers });
  }
}

// A mistake in a request: told to the test beside the answer that the vendor would give.
function must(holds, what, refusal) {
  if (!holds) {
    faults.push(what);
    throw refusal ?? new Refusal(400, { error: what });
  }
}

function only(object, keys, where) {
  must(object !== null && typeof object === 'object', `${where} is no object`);
  for (const key of Object.keys(object)) must(keys.includes(key), `${where} has an unknown field ${key}`);
}

const json = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

function jwt(token, algorithm, key) {
  const [head, body, signature, more] = token.split('.');
  if (more !== undefined || signature === undefined || json(head).alg !== algorithm) return null;
  const verify = createVerify('SHA256').update(`${head}.${body}`);
  const options = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : { key };
  return verify.verify(options, Buffer.from(signature, 'base64url')) ? { head: json(head), body: json(body) } : null;
}

// RFC 7523, as Google documents it for service accounts.
function oauth(request, body) {
  const refuse = (error) => new Refusal(400, { error, error_description: 'Invalid JWT Signature.' });
  must(request.headers['content-type'] === 'application/x-www-form-urlencoded', 'the token request is no form');
  const form = new URLSearchParams(body);
  must(form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'a wrong grant type');
  const claims = jwt(form.get('assertion'), 'RS256', rsa.publicKey);
  if (!claims) throw refuse('invalid_grant');
  const { iss, scope, aud, iat, exp } = claims.body;
  if (iss !== EMAIL) throw refuse('invalid_grant');
  must(scope === SCOPE && aud === `${origin}/token`, 'wrong claims of the assertion');
  must(Math.abs(iat - now) <= 300 && exp > now && exp - iat <= 3600, 'wrong times of the assertion');
  must(claims.head.kid === 'google-key' && claims.head.typ === 'JWT', 'a wrong head of the assertion');
  const token = `ya29.${randomBytes(24).toString('base64url')}`;
  accessTokens.set(token, now + lifetime);
  got.push({ role: 'oauth' });
  return { status: 200, body: { access_token: token, expires_in: lifetime, token_type: 'Bearer' } };
}

const FCM = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const fcmError = (code, status, errorCode, headers) =>
  new Refusal(
    code,
    { error: { code, message: `said of ${errorCode}`, status, details: errorCode ? [{ '@type': FCM, errorCode }] : [] } },
    headers,
  );

function fcm(request, body) {
  const authorization = request.headers.authorization ?? '';
  const until = accessTokens.get(authorization.replace(/^Bearer /, ''));
  if (until === undefined || until <= now) throw fcmError(401, 'UNAUTHENTICATED');
  must(/^application\/json/.test(request.headers['content-type']), 'no JSON');
  const told = JSON.parse(body);
  const invalid = fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT');
  only(told, ['message', 'validate_only'], 'the request');
  const { message } = told;
  only(message, ['token', 'notification', 'data', 'android', 'apns', 'webpush'], 'message');
  only(message.notification, ['title', 'body', 'image'], 'notification');
  only(message.android, ['collapse_key', 'priority', 'ttl', 'notification'], 'android');
  only(message.android.notification, ['tag'], 'android.notification');
  only(message.apns, ['headers', 'payload'], 'apns');
  must(typeof message.token === 'string' && message.token.length > 0, 'no token', invalid);
  must(/^\d+s$/.test(message.android.ttl) && parseInt(message.android.ttl) <= 2419200, 'a wrong ttl', invalid);
  must(['HIGH', 'NORMAL'].includes(message.android.priority), 'a wrong priority', invalid);
  for (const value of [...Object.values(message.data), ...Object.values(message.apns.headers)]) {
    must(typeof value === 'string', 'data and headers are texts', invalid);
  }
  for (const key of Object.keys(message.data)) must(!/^(from|message_type|google\.|gcm\.)/.test(key), `data has ${key}`, invalid);
  must(Buffer.byteLength(JSON.stringify(message)) <= 4096, 'too long', invalid);
  got.push({ role: 'fcm', message, authorization });
  answerAsForced('fcm');
  if (gone.has(message.token)) throw fcmError(404, 'NOT_FOUND', 'UNREGISTERED');
  return { status: 200, body: { name: `projects/${PROJECT}/messages/0:${got.length}` } };
}

const reason = (status, name, more) => new Refusal(status, { reason: name, ...more });

function apns(headers, body) {
  const match = /^\/3\/device\/([0-9a-f]+)$/.exec(headers[':path']);
  must(headers[':method'] === 'POST', 'a wrong method', reason(405, 'MethodNotAllowed'));
  must(match, 'a wrong path', reason(404, 'BadPath'));
  const bearer = /^bearer (.+)$/.exec(headers.authorization ?? '');
  must(bearer, 'no provider token', reason(403, 'MissingProviderToken'));
  const claims = jwt(bearer[1], 'ES256', apple.publicKey);
  if (!claims || claims.head.kid !== KEY || claims.body.iss !== TEAM) throw reason(403, 'InvalidProviderToken');
  must(claims.body.iat <= now + 60, 'issued in the future', reason(403, 'InvalidProviderToken'));
  if (now - claims.body.iat > 3600) throw reason(403, 'ExpiredProviderToken');
  must(headers['apns-topic'] === TOPIC, 'a wrong topic', reason(400, 'BadTopic'));
  must(headers['apns-push-type'] === 'alert', 'a wrong push type', reason(400, 'InvalidPushType'));
  must(UUID.test(headers['apns-id']), 'a wrong id', reason(400, 'BadMessageId'));
  must(/^\d+$/.test(headers['apns-expiration']), 'a wrong expiration', reason(400, 'BadExpirationDate'));
  must(['5', '10'].includes(headers['apns-priority']), 'a wrong priority', reason(400, 'BadPriority'));
  must(Buffer.byteLength(headers['apns-collapse-id']) <= 64, 'a wrong collapse id', reason(400, 'BadCollapseId'));
  must(body.length > 0, 'no payload', reason(400, 'PayloadEmpty'));
  must(Buffer.byteLength(body) <= 4096, 'too long', reason(413, 'PayloadTooLarge'));
  const payload = JSON.parse(body);
  only(payload.aps, ['alert', 'sound', 'thread-id', 'interruption-level'], 'aps');
  only(payload.aps.alert, ['title', 'body'], 'alert');
  got.push({ role: 'apns', device: match[1], headers: { ...headers }, payload });
  answerAsForced('apns');
  if (match[1].length !== 64) throw reason(400, 'BadDeviceToken');
  if (gone.has(match[1])) throw reason(410, 'Unregistered', { timestamp: now * 1000 });
  return { status: 200, headers: { 'apns-id': headers['apns-id'] }, body: '' };
}

// A key of P-256 as a browser is told it (X9.62, uncompressed), for node.
function publicKey(bytes) {
  const coordinate = (from) => bytes.subarray(from, from + 32).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) } });
}

// RFC 8030, 8188, 8291 and 8292.
function webPush(request, path, bytes) {
  const subscription = subscriptions.get(path);
  if (!subscription || gone.has(path)) {
    got.push({ role: 'web_push', path });
    answerAsForced('web_push');
    throw new Refusal(410, '');
  }
  const { headers } = request;
  must(request.method === 'POST', 'a wrong method');
  must(/^\d+$/.test(headers.ttl), 'no TTL');
  must(headers['content-encoding'] === 'aes128gcm', 'a wrong encoding');
  must(['very-low', 'low', 'normal', 'high'].includes(headers.urgency), 'a wrong urgency');
  must(/^[A-Za-z0-9_-]{1,32}$/.test(headers.topic), 'a wrong topic');
  must(bytes.length <= 4096, 'too long', new Refusal(413, ''));
  const vapid = /^vapid t=([^, ]+), ?k=([A-Za-z0-9_-]+)$/.exec(headers.authorization ?? '');
  must(vapid, 'no vapid', new Refusal(401, ''));
  const claims = jwt(vapid[1], 'ES256', publicKey(Buffer.from(vapid[2], 'base64url')));
  must(claims, 'a wrong signature', new Refusal(403, ''));
  if (vapid[2] !== subscription.key) throw new Refusal(403, 'VAPID credentials do not correspond');
  const { aud, exp, sub } = claims.body;
  must(aud === origin, `a wrong audience ${aud}`, new Refusal(403, ''));
  must(exp > now && exp <= now + 86400, 'a wrong end', new Refusal(403, ''));
  must(/^(mailto:|https:)/.test(sub), 'a wrong subject', new Refusal(403, ''));
  let payload;
  try {
    const options = { version: 'aes128gcm', privateKey: subscription.ecdh, authSecret: subscription.auth };
    payload = JSON.parse(ece.decrypt(bytes, options).toString());
  } catch (error) {
    must(false, `it cannot be decrypted: ${error}`);
  }
  const { ttl, urgency, topic } = headers;
  got.push({ role: 'web_push', path, payload, ttl: Number(ttl), urgency, topic, bytes: bytes.toString('base64url') });
  answerAsForced('web_push');
  return { status: 201, headers: { location: `${origin}/message/${got.length}` }, body: '' };
}

// What the test wants to be answered next: `{role, status, body, headers}`, or `{role, hang: true}`.
function answerAsForced(role) {
  const at = forced.findIndex((answer) => answer.role === role);
  if (at === -1) return;
  const answer = forced[at];
  if (!answer.always) forced.splice(at, 1);
  throw new Refusal(answer.hang ? 0 : answer.status, answer.body ?? '', answer.headers);
}

function answer(work, respond) {
  let made;
  try {
    made = work();
  } catch (error) {
    if (!(error instanceof Refusal)) faults.push(String(error));
    made = error instanceof Refusal ? error : { status: 500, body: String(error) };
  }
  // No status: it never answers.
  if (made.status !== 0) respond(made.status, made.headers ?? {}, typeof made.body === 'string' ? made.body : JSON.stringify(made.body));
}

const whole = (stream, then) => {
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => then(Buffer.concat(parts)));
};

const server = createServer((request, response) =>
  whole(request, (bytes) =>
    answer(
      () => {
        if (request.url === '/token') return oauth(request, bytes.toString());
        if (request.url === `/v1/projects/${PROJECT}/messages:send`) return fcm(request, bytes.toString());
        if (request.url.startsWith('/push/')) return webPush(request, request.url, bytes);
        throw new Refusal(404, 'not here');
      },
      (status, headers, body) => response.writeHead(status, headers).end(body),
    ),
  ),
);

// HTTP/2 alone, as Apple's: a client that speaks HTTP/1.1 gets nowhere.
const http2 = createHttp2Server();
http2.on('stream', (stream, headers) =>
  whole(stream, (bytes) =>
    answer(
      () => apns(headers, bytes.toString()),
      (status, more, body) => {
        stream.respond({ ':status': status, ...more });
        stream.end(body);
      },
    ),
  ),
);

const commands = {
  now: ({ at }) => { now = at; },
  lifetime: ({ seconds }) => { lifetime = seconds; },
  // Access tokens that were given out count no more.
  revoke: () => accessTokens.clear(),
  gone: ({ address }) => { gone.add(address); },
  answer: (wanted) => { forced.push(wanted); },
  calm: () => { forced.length = 0; },
  // A browser subscribes for a key of ours.
  subscribe: ({ key }) => {
    const ecdh = createECDH('prime256v1');
    const p256dh = ecdh.generateKeys('base64url');
    const auth = randomBytes(16).toString('base64url');
    const path = `/push/${randomUUID()}`;
    subscriptions.set(path, { ecdh, auth, key });
    return { endpoint: `${origin}${path}`, path, p256dh, auth };
  },
  // What came since this was asked the last time.
  got: () => {
    const came = got;
    got = [];
    return { got: came, faults };
  },
};

http2.listen(0, '127.0.0.1', () =>
  server.listen(0, '127.0.0.1', () => {
    origin = `http://127.0.0.1:${server.address().port}`;
    const account = {
      type: 'service_account', project_id: PROJECT, private_key_id: 'google-key', private_key: pem(rsa.privateKey),
      client_email: EMAIL, client_id: '1', token_uri: `${origin}/token`,
    };
    const apns_url = `http://127.0.0.1:${http2.address().port}`;
    console.log(JSON.stringify({ url: origin, apns_url, account, key: pem(apple.privateKey), key_id: KEY, team: TEAM, topic: TOPIC }));
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => {
      const { command, ...more } = JSON.parse(line);
      console.log(JSON.stringify(commands[command](more) ?? {}));
    });
    lines.on('close', () => process.exit());
  }),
);
