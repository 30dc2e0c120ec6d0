-- +goose Up
ALTER TABLE credential ADD COLUMN tokens_not_before INTEGER;
CREATE INDEX credential_kind ON credential (kind, created_at, id);

ALTER TABLE member ADD COLUMN tokens_not_before INTEGER;
ALTER TABLE member ADD COLUMN folded_email TEXT NOT NULL DEFAULT '';
UPDATE member SET folded_email =
  substr(folded, length(folded) - length(id) - length(email), length(email));
CREATE INDEX member_folded_email ON member (folded_email);

ALTER TABLE organization ADD COLUMN folded_name TEXT NOT NULL DEFAULT '';
UPDATE organization SET folded_name = substr(folded, 1, length(folded) - length(id) - 1);
CREATE INDEX organization_folded_name ON organization (folded_name);

CREATE TABLE client (
  credential     TEXT    NOT NULL PRIMARY KEY REFERENCES credential (id),
  redirect_uris  TEXT    NOT NULL,
  grants         TEXT    NOT NULL,
  is_public      INTEGER NOT NULL,
  authentication TEXT    NOT NULL,
  public_keys    BLOB,
  jwks_url       TEXT    NOT NULL,
  origins        TEXT    NOT NULL,
  logo_url       TEXT    NOT NULL,
  home_url       TEXT    NOT NULL,
  policy_url     TEXT    NOT NULL,
  terms_url      TEXT    NOT NULL,
  first_party    INTEGER NOT NULL,
  metadata_url   TEXT,
  dpop_required  INTEGER NOT NULL,
  require_pushed INTEGER NOT NULL
) STRICT;
CREATE INDEX client_metadata ON client (metadata_url) WHERE metadata_url IS NOT NULL;

CREATE TABLE account_key (
  id           TEXT    NOT NULL PRIMARY KEY,
  account      TEXT    NOT NULL REFERENCES credential (id),
  algorithm    TEXT    NOT NULL,
  public_key   BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX account_key_account ON account_key (account, created_at, id);

CREATE TABLE signing_key (
  id          TEXT    NOT NULL PRIMARY KEY,
  environment TEXT    NOT NULL,
  algorithm   TEXT    NOT NULL,
  public_key  BLOB    NOT NULL,
  sealed      BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  signs_at    INTEGER,
  retired_at  INTEGER,
  expires_at  INTEGER,
  revoked_at  INTEGER
) STRICT;

CREATE TABLE consent (
  id                TEXT    NOT NULL PRIMARY KEY,
  member            TEXT    NOT NULL REFERENCES member (id),
  client            TEXT    NOT NULL,
  organization      TEXT    NOT NULL REFERENCES organization (id),
  scopes            TEXT    NOT NULL,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  expires_at        INTEGER,
  revoked_at        INTEGER,
  tokens_not_before INTEGER
) STRICT;
CREATE UNIQUE INDEX consent_pair ON consent (member, client);
CREATE INDEX consent_newest ON consent (created_at, id);
CREATE INDEX consent_member ON consent (member, created_at, id);
CREATE INDEX consent_client ON consent (client, created_at, id);
CREATE INDEX consent_organization ON consent (organization, created_at, id);

CREATE TABLE code (
  hash         BLOB    NOT NULL PRIMARY KEY,
  client       TEXT    NOT NULL,
  member       TEXT    NOT NULL REFERENCES member (id),
  organization TEXT    NOT NULL REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  consent      TEXT,
  redirect_uri TEXT    NOT NULL,
  scopes       TEXT    NOT NULL,
  challenge    TEXT    NOT NULL,
  nonce        TEXT    NOT NULL,
  resource     TEXT    NOT NULL,
  dpop         TEXT    NOT NULL,
  auth_time    INTEGER,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER,
  family       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX code_client ON code (client);
CREATE INDEX code_member ON code (member);
CREATE INDEX code_expires ON code (expires_at);

CREATE TABLE token_family (
  id             TEXT    NOT NULL PRIMARY KEY,
  client         TEXT,
  member         TEXT    REFERENCES member (id),
  organization   TEXT    REFERENCES organization (id),
  environment    TEXT    NOT NULL,
  subject        TEXT    NOT NULL,
  consent        TEXT,
  scopes         TEXT    NOT NULL,
  resource       TEXT    NOT NULL,
  dpop           TEXT    NOT NULL,
  auth_time      INTEGER,
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER,
  revoked_at     INTEGER,
  revoked_reason TEXT    NOT NULL,
  access_id      TEXT,
  access_expires INTEGER,
  ends_at        INTEGER
) STRICT;
CREATE INDEX token_family_newest ON token_family (created_at, id);
CREATE INDEX token_family_client ON token_family (client, created_at, id);
CREATE INDEX token_family_member ON token_family (member, created_at, id);
CREATE INDEX token_family_organization ON token_family (organization, created_at, id);
CREATE INDEX token_family_consent ON token_family (consent, created_at, id) WHERE consent IS NOT NULL;
CREATE INDEX token_family_ends ON token_family (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE refresh_token (
  hash             BLOB    NOT NULL PRIMARY KEY,
  family           TEXT    NOT NULL REFERENCES token_family (id),
  created_at       INTEGER NOT NULL,
  expires_at       INTEGER,
  used_at          INTEGER,
  successor_sealed BLOB,
  access_id        TEXT,
  access_expires   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_token_family ON refresh_token (family);

CREATE TABLE access_token (
  hash         BLOB    NOT NULL PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  family       TEXT    REFERENCES token_family (id),
  client       TEXT,
  member       TEXT    REFERENCES member (id),
  organization TEXT    REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  scopes       TEXT    NOT NULL,
  resource     TEXT    NOT NULL,
  dpop         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX access_token_family ON access_token (family) WHERE family IS NOT NULL;
CREATE INDEX access_token_client ON access_token (client);
CREATE INDEX access_token_member ON access_token (member) WHERE member IS NOT NULL;
CREATE INDEX access_token_expires ON access_token (expires_at);

CREATE TABLE revoked_token (
  id         TEXT    NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_expires ON revoked_token (expires_at);

CREATE TABLE device_code (
  hash          BLOB    NOT NULL PRIMARY KEY,
  user_code     TEXT    NOT NULL UNIQUE,
  client        TEXT    NOT NULL,
  environment   TEXT    NOT NULL,
  scopes        TEXT    NOT NULL,
  resource      TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  member        TEXT    REFERENCES member (id),
  organization  TEXT    REFERENCES organization (id),
  consent       TEXT,
  auth_time     INTEGER,
  poll_interval INTEGER NOT NULL,
  polled_at     INTEGER,
  too_soon      INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  family        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX device_code_client ON device_code (client);
CREATE INDEX device_code_member ON device_code (member) WHERE member IS NOT NULL;
CREATE INDEX device_code_expires ON device_code (expires_at);

CREATE TABLE pushed_request (
  hash       BLOB    NOT NULL PRIMARY KEY,
  client     TEXT    NOT NULL,
  parameters BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

CREATE TABLE seen (
  hash       BLOB    NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_expires ON seen (expires_at);

CREATE TABLE organization_issuer (
  id           TEXT    NOT NULL PRIMARY KEY,
  organization TEXT    NOT NULL REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  issuer       TEXT    NOT NULL,
  jwks_url     TEXT    NOT NULL,
  audience     TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX organization_issuer_place ON organization_issuer (organization, environment);
CREATE INDEX organization_issuer_issuer ON organization_issuer (issuer, created_at, id);
CREATE INDEX organization_issuer_newest ON organization_issuer (created_at, id);

CREATE TABLE password (
  member     TEXT    NOT NULL PRIMARY KEY REFERENCES member (id),
  hash       TEXT    NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE passkey (
  id           BLOB    NOT NULL PRIMARY KEY,
  member       TEXT    NOT NULL REFERENCES member (id),
  name         TEXT    NOT NULL,
  data         BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_member ON passkey (member, created_at, id);

CREATE TABLE session (
  hash         BLOB    NOT NULL PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  member       TEXT    NOT NULL REFERENCES member (id),
  organization TEXT    NOT NULL REFERENCES organization (id),
  method       TEXT    NOT NULL,
  user_agent   TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  auth_time    INTEGER,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  ended_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX session_member ON session (member, created_at, id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE sso_connection (
  organization  TEXT    NOT NULL PRIMARY KEY REFERENCES organization (id),
  issuer        TEXT    NOT NULL,
  client_id     TEXT    NOT NULL,
  secret_sealed BLOB,
  insecure      INTEGER NOT NULL,
  auto_join     INTEGER NOT NULL,
  role          TEXT    NOT NULL,
  domains       TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE one_time_link (
  hash       BLOB    NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,
  member     TEXT    REFERENCES member (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_link_member ON one_time_link (member) WHERE member IS NOT NULL;
CREATE INDEX one_time_link_expires ON one_time_link (expires_at);
