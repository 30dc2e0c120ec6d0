-- +goose Up
ALTER TABLE credential ADD COLUMN tokens_not_before BIGINT;
CREATE INDEX credential_kind ON credential (kind, created_at, id);

ALTER TABLE member ADD COLUMN tokens_not_before BIGINT;
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
  is_public      BIGINT  NOT NULL,
  authentication TEXT    NOT NULL,
  public_keys    BYTEA,
  jwks_url       TEXT    NOT NULL,
  origins        TEXT    NOT NULL,
  logo_url       TEXT    NOT NULL,
  home_url       TEXT    NOT NULL,
  policy_url     TEXT    NOT NULL,
  terms_url      TEXT    NOT NULL,
  first_party    BIGINT  NOT NULL,
  metadata_url   TEXT,
  dpop_required  BIGINT  NOT NULL,
  require_pushed BIGINT  NOT NULL
);
CREATE INDEX client_metadata ON client (metadata_url) WHERE metadata_url IS NOT NULL;

CREATE TABLE account_key (
  id           TEXT    NOT NULL PRIMARY KEY,
  account      TEXT    NOT NULL REFERENCES credential (id),
  algorithm    TEXT    NOT NULL,
  public_key   BYTEA   NOT NULL,
  created_at   BIGINT  NOT NULL,
  expires_at   BIGINT,
  revoked_at   BIGINT,
  last_used_at BIGINT
);
CREATE INDEX account_key_account ON account_key (account, created_at, id);

CREATE TABLE signing_key (
  id          TEXT    NOT NULL PRIMARY KEY,
  environment TEXT    NOT NULL,
  algorithm   TEXT    NOT NULL,
  public_key  BYTEA   NOT NULL,
  sealed      BYTEA   NOT NULL,
  created_at  BIGINT  NOT NULL,
  signs_at    BIGINT,
  retired_at  BIGINT,
  expires_at  BIGINT,
  revoked_at  BIGINT
);

CREATE TABLE consent (
  id                TEXT    NOT NULL PRIMARY KEY,
  member            TEXT    NOT NULL REFERENCES member (id),
  client            TEXT    NOT NULL,
  organization      TEXT    NOT NULL REFERENCES organization (id),
  scopes            TEXT    NOT NULL,
  created_at        BIGINT  NOT NULL,
  updated_at        BIGINT  NOT NULL,
  expires_at        BIGINT,
  revoked_at        BIGINT,
  tokens_not_before BIGINT
);
CREATE UNIQUE INDEX consent_pair ON consent (member, client);
CREATE INDEX consent_newest ON consent (created_at, id);
CREATE INDEX consent_member ON consent (member, created_at, id);
CREATE INDEX consent_client ON consent (client, created_at, id);
CREATE INDEX consent_organization ON consent (organization, created_at, id);

CREATE TABLE code (
  hash         BYTEA   NOT NULL PRIMARY KEY,
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
  auth_time    BIGINT,
  created_at   BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL,
  used_at      BIGINT,
  family       TEXT
);
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
  auth_time      BIGINT,
  created_at     BIGINT  NOT NULL,
  expires_at     BIGINT,
  revoked_at     BIGINT,
  revoked_reason TEXT    NOT NULL,
  access_id      TEXT,
  access_expires BIGINT,
  ends_at        BIGINT
);
CREATE INDEX token_family_newest ON token_family (created_at, id);
CREATE INDEX token_family_client ON token_family (client, created_at, id);
CREATE INDEX token_family_member ON token_family (member, created_at, id);
CREATE INDEX token_family_organization ON token_family (organization, created_at, id);
CREATE INDEX token_family_consent ON token_family (consent, created_at, id) WHERE consent IS NOT NULL;
CREATE INDEX token_family_ends ON token_family (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE refresh_token (
  hash             BYTEA   NOT NULL PRIMARY KEY,
  family           TEXT    NOT NULL REFERENCES token_family (id),
  created_at       BIGINT  NOT NULL,
  expires_at       BIGINT,
  used_at          BIGINT,
  successor_sealed BYTEA,
  access_id        TEXT,
  access_expires   BIGINT
);
CREATE INDEX refresh_token_family ON refresh_token (family);

CREATE TABLE access_token (
  hash         BYTEA   NOT NULL PRIMARY KEY,
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
  created_at   BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL,
  revoked_at   BIGINT
);
CREATE INDEX access_token_family ON access_token (family) WHERE family IS NOT NULL;
CREATE INDEX access_token_client ON access_token (client);
CREATE INDEX access_token_member ON access_token (member) WHERE member IS NOT NULL;
CREATE INDEX access_token_expires ON access_token (expires_at);

CREATE TABLE revoked_token (
  id         TEXT    NOT NULL PRIMARY KEY,
  expires_at BIGINT  NOT NULL
);
CREATE INDEX revoked_token_expires ON revoked_token (expires_at);

CREATE TABLE device_code (
  hash          BYTEA   NOT NULL PRIMARY KEY,
  user_code     TEXT    NOT NULL UNIQUE,
  client        TEXT    NOT NULL,
  environment   TEXT    NOT NULL,
  scopes        TEXT    NOT NULL,
  resource      TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  member        TEXT    REFERENCES member (id),
  organization  TEXT    REFERENCES organization (id),
  consent       TEXT,
  auth_time     BIGINT,
  poll_interval BIGINT  NOT NULL,
  polled_at     BIGINT,
  too_soon      BIGINT  NOT NULL,
  created_at    BIGINT  NOT NULL,
  expires_at    BIGINT  NOT NULL,
  family        TEXT
);
CREATE INDEX device_code_client ON device_code (client);
CREATE INDEX device_code_member ON device_code (member) WHERE member IS NOT NULL;
CREATE INDEX device_code_expires ON device_code (expires_at);

CREATE TABLE pushed_request (
  hash       BYTEA   NOT NULL PRIMARY KEY,
  client     TEXT    NOT NULL,
  parameters BYTEA   NOT NULL,
  created_at BIGINT  NOT NULL,
  expires_at BIGINT  NOT NULL,
  used_at    BIGINT
);
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

CREATE TABLE seen (
  hash       BYTEA   NOT NULL PRIMARY KEY,
  expires_at BIGINT  NOT NULL
);
CREATE INDEX seen_expires ON seen (expires_at);

CREATE TABLE organization_issuer (
  id           TEXT    NOT NULL PRIMARY KEY,
  organization TEXT    NOT NULL REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  issuer       TEXT    NOT NULL,
  jwks_url     TEXT    NOT NULL,
  audience     TEXT    NOT NULL,
  created_at   BIGINT  NOT NULL,
  updated_at   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX organization_issuer_place ON organization_issuer (organization, environment);
CREATE INDEX organization_issuer_issuer ON organization_issuer (issuer, created_at, id);
CREATE INDEX organization_issuer_newest ON organization_issuer (created_at, id);

CREATE TABLE password (
  member     TEXT    NOT NULL PRIMARY KEY REFERENCES member (id),
  hash       TEXT    NOT NULL,
  changed_at BIGINT  NOT NULL
);

CREATE TABLE passkey (
  id           BYTEA   NOT NULL PRIMARY KEY,
  member       TEXT    NOT NULL REFERENCES member (id),
  name         TEXT    NOT NULL,
  data         BYTEA   NOT NULL,
  created_at   BIGINT  NOT NULL,
  last_used_at BIGINT
);
CREATE INDEX passkey_member ON passkey (member, created_at, id);

CREATE TABLE session (
  hash         BYTEA   NOT NULL PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  member       TEXT    NOT NULL REFERENCES member (id),
  organization TEXT    NOT NULL REFERENCES organization (id),
  method       TEXT    NOT NULL,
  user_agent   TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  auth_time    BIGINT,
  created_at   BIGINT  NOT NULL,
  seen_at      BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL,
  ended_at     BIGINT
);
CREATE INDEX session_member ON session (member, created_at, id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE sso_connection (
  organization  TEXT    NOT NULL PRIMARY KEY REFERENCES organization (id),
  issuer        TEXT    NOT NULL,
  client_id     TEXT    NOT NULL,
  secret_sealed BYTEA,
  insecure      BIGINT  NOT NULL,
  auto_join     BIGINT  NOT NULL,
  role          TEXT    NOT NULL,
  domains       TEXT    NOT NULL,
  created_at    BIGINT  NOT NULL,
  updated_at    BIGINT  NOT NULL
);

CREATE TABLE one_time_link (
  hash       BYTEA   NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,
  member     TEXT    REFERENCES member (id),
  created_at BIGINT  NOT NULL,
  expires_at BIGINT  NOT NULL,
  used_at    BIGINT
);
CREATE INDEX one_time_link_member ON one_time_link (member) WHERE member IS NOT NULL;
CREATE INDEX one_time_link_expires ON one_time_link (expires_at);
