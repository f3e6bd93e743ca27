// A real OpenID provider (oidc-provider, certified by the OpenID Foundation) on a free port of loopback, for one test.
//
// The first argument is JSON: `clients` (as oidc-provider takes them), `accounts` (claims by id), `in_id_token` (whether the
// claims stand in the ID token too, or at the userinfo endpoint alone), `algorithm` of its ID tokens. It prints its issuer,
// rotates its keys at a line on standard input, and ends when that does.
//
// Who signs in is said where a person would be asked: at /interaction/<id>, by `login`, `amr`, `ts` or `deny` in the query.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const { clients, accounts, in_id_token: inIdToken, algorithm = 'RS256' } = JSON.parse(process.argv[2]);

const KINDS = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519', {}] };

function key() {
  const pair = generateKeyPairSync(...KINDS[algorithm]);
  return { ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomBytes(8).toString('hex') };
}

function make(issuer) {
  const provider = new Provider(issuer, {
    clients: clients.map((client) => ({ ...client, id_token_signed_response_alg: algorithm })),
    jwks: { keys: [key()] },
    claims: {
      openid: ['sub', 'amr', 'acr', 'auth_time'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    conformIdTokenClaims: !inIdToken,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { methods: ['S256'], required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...accounts[id], sub: id }) }),
    // Nobody is asked for consent: everything is granted.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile groups');
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_, error) => console.error(error));
  return provider;
}

let provider;
let handle;
const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://provider');
  if (!url.pathname.startsWith('/interaction/')) {
    return handle(request, response);
  }
  const [login, amr, ts] = ['login', 'amr', 'ts'].map((name) => url.searchParams.get(name));
  const result = url.searchParams.has('deny')
    ? { error: 'access_denied', error_description: 'Not today' }
    : { login: { accountId: login, ...(amr && { amr: amr.split(' ') }), ...(ts && { ts: Number(ts) }) } };
  try {
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    response.writeHead(400).end(String(error));
  }
});

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const renew = () => {
    provider = make(issuer);
    handle = provider.callback();
  };
  renew();
  console.log(issuer);
  const commands = createInterface({ input: process.stdin });
  commands.on('line', () => {
    renew();
    console.log('rotated');
  });
  commands.on('close', () => process.exit());
});
