import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { agree, redirect, world } from './world.mjs'

const issuer = new URL(world.base)
const options = { [oauth.allowInsecureRequests]: true }
const { machine, confidential } = world.clients

const discover = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...options }))

test('both documents of discovery', async () => {
  for (const algorithm of ['oidc', 'oauth2']) {
    const as = await discover(algorithm)
    assert.equal(as.issuer, world.base)
    assert.deepEqual(as.code_challenge_methods_supported, ['S256'])
    assert.equal(as.authorization_response_iss_parameter_supported, true)
  }
})

test('the resource names its authorization server (RFC 9728)', async () => {
  const metadata = await oauth.processResourceDiscoveryResponse(issuer, await oauth.resourceDiscoveryRequest(issuer, options))
  assert.deepEqual(metadata.authorization_servers, [world.base])
})

test('access tokens are what RFC 9068 says', async () => {
  const as = await discover('oauth2')
  const self = { client_id: machine.id }
  const answer = await oauth.clientCredentialsGrantRequest(as, self, oauth.ClientSecretBasic(machine.secret), { scope: 'read' }, options)
  const tokens = await oauth.processClientCredentialsResponse(as, self, answer)
  const request = new Request(new URL('/v1/things', issuer), { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, world.base, options)
  assert.equal(claims.client_id, machine.id)
  assert.equal(claims.scope, 'read')
  assert.ok(claims.jti)
  assert.equal(claims.exp - claims.iat, 3600)

  const seen = await oauth.processIntrospectionResponse(as, self,
    await oauth.introspectionRequest(as, self, oauth.ClientSecretBasic(machine.secret), tokens.access_token, options))
  assert.equal(seen.active, true)
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, self, oauth.ClientSecretBasic(machine.secret), tokens.access_token, options))
  const refused = await fetch(request)
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate'), /error="invalid_token"/)
})

test('code, PKCE, state, issuer, nonce, ID token, refresh', async () => {
  const as = await discover('oidc')
  const self = { client_id: confidential.id }
  const how = oauth.ClientSecretPost(confidential.secret)
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const url = new URL(as.authorization_endpoint)
  for (const [name, value] of Object.entries({
    client_id: self.client_id, redirect_uri: redirect, response_type: 'code', scope: 'openid offline_access read', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })) url.searchParams.set(name, value)
  const parameters = oauth.validateAuthResponse(as, self, await agree(url.href), state)
  const answer = await oauth.authorizationCodeGrantRequest(as, self, how, parameters, redirect, verifier, options)
  const tokens = await oauth.processAuthorizationCodeResponse(as, self, answer, { expectedNonce: nonce, requireIdToken: true })
  assert.ok(oauth.getValidatedIdTokenClaims(tokens).auth_time)
  const next = await oauth.processRefreshTokenResponse(as, self,
    await oauth.refreshTokenGrantRequest(as, self, how, tokens.refresh_token, options))
  assert.ok(next.access_token)

  // An ID token is nobody's way into the API.
  const refused = await fetch(new URL('/v1/things', issuer), { headers: { authorization: `Bearer ${tokens.id_token}` } })
  assert.equal(refused.status, 401)

  // An answer of another issuer is not taken (RFC 9207), and an error comes with the issuer too.
  url.searchParams.set('scope', 'everything')
  const error = await agree(url.href)
  assert.throws(() => oauth.validateAuthResponse(as, self, error, state), (e) => e.error === 'invalid_scope')
  assert.equal(error.searchParams.get('iss'), world.base)
})
