package apps_test

// everything is a contract that has all that these pages know: clients of every sort with
// secrets that stay viewable, service accounts, and keys of persons.
const everything = `
cardea: 1
product: Acme
hosts: {api: api.acme.test, app: app.example.com}
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
ids: {member: usr_, organization: org_}
scopes:
  records:read: Read records
  records:write: Change records
  mail:send: Send mail
issuer: https://app.example.com
audience: https://api.acme.test
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
  personal_token:
    label: Personal token
    owner: member
    format: {prefix: {live: pt_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {idle: 30d, max: 3mo}
    created_by: [owner, admin, developer, viewer]
    max_per_owner: 2
clients:
  label: Application
  grants: [authorization_code, refresh_token, client_credentials, device_code]
  authentication: [client_secret_post, client_secret_basic, none]
  public: true
  pkce: public_only
  dpop: optional
  secret: {reveal: always}
service_accounts:
  file: acme-account.json
  max_lifetime: 30m
  algorithms: [ES256, EdDSA]
tokens:
  access: {format: opaque, prefix: at_, lifetime: 1h}
  refresh: {prefix: rt_, lifetime: 30d}
endpoints:
  authorize: {host: app, path: /oauth/authorize}
  device: {host: app, path: /oauth/device}
  token:
    - {host: api, path: /oauth/token, grants: {authorization_code: authorization_code, refresh_token: refresh_token, client_credentials: client_credentials, "urn:ietf:params:oauth:grant-type:device_code": device_code, "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer}}
ip_lists: {per: credential}
routes:
  - {match: "GET /v1/records", scopes: [records:read]}
  - {match: "POST /v1/records", scopes: [records:write]}
`
