import assert from 'node:assert/strict'
import test from 'node:test'
import * as client from 'openid-client'
import { agree, redirect, register, world } from './world.mjs'

const issuer = new URL(world.base)
const insecure = { execute: [client.allowInsecureRequests] }
const { machine, confidential } = world.clients

const api = (config, token, options) =>
  client.fetchProtectedResource(config, token, new URL('/v1/things', issuer), 'GET', undefined, undefined, options)

test('client credentials, by each way to authenticate', async (t) => {
  const ways = {
    post: [machine.id, client.ClientSecretPost(machine.secret)],
    basic: [machine.id, client.ClientSecretBasic(machine.secret)],
  }
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k1', use: 'sig', alg: 'ES256' }
  delete jwk.key_ops
  delete jwk.ext
  const signer = await register({
    name: 'signer', grants: ['client_credentials'], authentication: ['private_key_jwt'], scopes: ['read'], jwks: { keys: [jwk] },
  })
  ways.private_key_jwt = [signer.id, client.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' })]
  for (const [name, [id, how]] of Object.entries(ways)) {
    await t.test(name, async () => {
      const config = await client.discovery(issuer, id, undefined, how, insecure)
      const tokens = await client.clientCredentialsGrant(config, { scope: 'read' })
      assert.equal(tokens.token_type, 'bearer')
      assert.equal(tokens.expires_in, 3600)
      assert.equal(tokens.scope ?? 'read', 'read')
      assert.equal(tokens.refresh_token, undefined)
      assert.equal((await api(config, tokens.access_token)).status, 200)
      const seen = await client.tokenIntrospection(config, tokens.access_token)
      assert.equal(seen.active, true)
      assert.equal(seen.client_id, id)
      await client.tokenRevocation(config, tokens.access_token)
      assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false)
      await assert.rejects(api(config, tokens.access_token), (e) => e.cause?.[0]?.parameters?.error === 'invalid_token')
    })
  }
  await t.test('a wrong secret', async () => {
    const config = await client.discovery(issuer, machine.id, undefined, client.ClientSecretPost('cs_wrong'), insecure)
    await assert.rejects(client.clientCredentialsGrant(config), (e) => e.error === 'invalid_client')
  })
})

async function code(config, parameters = {}, extra = {}, push = false) {
  const verifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState() }
  const request = {
    redirect_uri: redirect, scope: 'openid email offline_access read', state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  }
  if (request.nonce) checks.expectedNonce = request.nonce
  const url = push ? await client.buildAuthorizationUrlWithPAR(config, request, extra) : client.buildAuthorizationUrl(config, request)
  const back = await agree(url.href)
  return { back, checks }
}

test('authorization code with PKCE, ID token, userinfo, refresh; nothing works twice', async () => {
  const config = await client.discovery(issuer, confidential.id, undefined, client.ClientSecretBasic(confidential.secret), insecure)
  const { back, checks } = await code(config, { nonce: client.randomNonce() })
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  const claims = tokens.claims()
  assert.equal(claims.iss, world.base)
  assert.equal(claims.aud, confidential.id)
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  assert.equal(info.email, world.email)
  assert.equal((await api(config, tokens.access_token)).status, 200)

  const next = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  assert.equal((await api(config, next.access_token)).status, 200)
  const last = await client.refreshTokenGrant(config, next.refresh_token)

  await assert.rejects(client.authorizationCodeGrant(config, back, checks), (e) => e.error === 'invalid_grant')
  // and the replay ended what the code had led to
  await assert.rejects(client.refreshTokenGrant(config, last.refresh_token), (e) => e.error === 'invalid_grant')
  await assert.rejects(api(config, last.access_token))
})

test('a used refresh token, once its successor was used, ends the family', async () => {
  const config = await client.discovery(issuer, confidential.id, undefined, client.ClientSecretPost(confidential.secret), insecure)
  const { back, checks } = await code(config)
  const first = await client.authorizationCodeGrant(config, back, checks)
  const second = await client.refreshTokenGrant(config, first.refresh_token)
  const third = await client.refreshTokenGrant(config, second.refresh_token)
  await assert.rejects(client.refreshTokenGrant(config, first.refresh_token), (e) => e.error === 'invalid_grant')
  await assert.rejects(client.refreshTokenGrant(config, third.refresh_token), (e) => e.error === 'invalid_grant')
})

test('a public client needs its verifier', async () => {
  const config = await client.discovery(issuer, world.clients.public.id, undefined, client.None(), insecure)
  const { back, checks } = await code(config)
  await assert.rejects(
    client.authorizationCodeGrant(config, back, { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }),
    (e) => e.error === 'invalid_grant',
  )
  const again = await code(config)
  const tokens = await client.authorizationCodeGrant(config, again.back, again.checks)
  assert.equal((await api(config, tokens.access_token)).status, 200)
})

test('pushed authorization requests', async () => {
  const config = await client.discovery(issuer, confidential.id, undefined, client.ClientSecretBasic(confidential.secret), insecure)
  const { back, checks } = await code(config, {}, {}, true)
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  assert.equal((await api(config, tokens.access_token)).status, 200)
})

test('DPoP: bound when issued, when used and when refreshed', async () => {
  const config = await client.discovery(issuer, world.clients.public.id, undefined, client.None(), insecure)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
  const { back, checks } = await code(config, { scope: 'offline_access read' })
  const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  assert.equal((await api(config, tokens.access_token, { DPoP })).status, 200)
  // as a bearer token it is worth nothing, and so it is with another key
  await assert.rejects(api(config, tokens.access_token))
  const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
  await assert.rejects(api(config, tokens.access_token, { DPoP: thief }))
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: thief }), (e) => e.error?.startsWith('invalid_'))
  const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  assert.equal((await api(config, next.access_token, { DPoP })).status, 200)
})

test('device authorization', async () => {
  const config = await client.discovery(issuer, world.clients.public.id, undefined, client.None(), insecure)
  const started = await client.initiateDeviceAuthorization(config, { scope: 'read' })
  assert.match(started.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
  await agree(started.verification_uri_complete)
  const tokens = await client.pollDeviceAuthorizationGrant(config, started)
  assert.equal((await api(config, tokens.access_token)).status, 200)
})
