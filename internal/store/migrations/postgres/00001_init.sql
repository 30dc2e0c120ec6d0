-- +goose Up
CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE organization (
  id           TEXT    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  folded       TEXT    NOT NULL,
  plan         TEXT    NOT NULL,
  limits       TEXT,
  suspended_at BIGINT,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX organization_newest ON organization (created_at, id);

CREATE TABLE member (
  id           TEXT    NOT NULL PRIMARY KEY,
  organization TEXT    NOT NULL REFERENCES organization (id),
  email        TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  folded       TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  disabled_at  BIGINT,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX member_newest ON member (organization, created_at, id);
CREATE UNIQUE INDEX member_email ON member (organization, email);

CREATE TABLE credential (
  id             TEXT    NOT NULL PRIMARY KEY,
  kind           TEXT    NOT NULL,
  environment    TEXT    NOT NULL,
  organization   TEXT    NOT NULL REFERENCES organization (id),
  member         TEXT    REFERENCES member (id),
  name           TEXT    NOT NULL,
  folded         TEXT    NOT NULL,
  scopes         TEXT    NOT NULL,
  limits         TEXT,
  addresses      TEXT,
  expires_at     BIGINT,
  last_used_at   BIGINT,
  disabled_at    BIGINT,
  revoked_at     BIGINT,
  revoked_reason TEXT    NOT NULL,
  created_by     TEXT    NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);
CREATE INDEX credential_newest ON credential (created_at, id);
CREATE INDEX credential_organization ON credential (organization, created_at, id);
CREATE INDEX credential_member ON credential (member) WHERE member IS NOT NULL;

CREATE TABLE credential_secret (
  hash         BYTEA   NOT NULL PRIMARY KEY,
  credential   TEXT    NOT NULL REFERENCES credential (id),
  hint         TEXT    NOT NULL,
  sealed       BYTEA,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT,
  last_used_at BIGINT
);
CREATE INDEX credential_secret_credential ON credential_secret (credential, created_at);

CREATE TABLE address_list (
  organization TEXT    NOT NULL REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  prefixes     TEXT    NOT NULL,
  updated_at   BIGINT NOT NULL,
  PRIMARY KEY (organization, environment)
);

CREATE TABLE management_token (
  id           TEXT    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  hash         BYTEA   NOT NULL UNIQUE,
  hint         TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT,
  revoked_at   BIGINT,
  last_used_at BIGINT
);
CREATE INDEX management_token_newest ON management_token (created_at, id);

CREATE TABLE day_count (
  owner TEXT    NOT NULL,
  day   BIGINT NOT NULL,
  n     BIGINT NOT NULL,
  PRIMARY KEY (owner, day)
);
CREATE INDEX day_count_day ON day_count (day);

CREATE TABLE change_head (
  id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL
);
INSERT INTO change_head (id, seq) VALUES (1, 0);

CREATE TABLE change_log (
  seq    BIGINT NOT NULL PRIMARY KEY,
  kind   TEXT    NOT NULL,
  target TEXT    NOT NULL,
  at     BIGINT NOT NULL
);

CREATE TABLE audit_head (
  id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  size BIGINT NOT NULL
);
INSERT INTO audit_head (id, size) VALUES (1, 0);

CREATE TABLE audit_event (
  seq          BIGINT NOT NULL PRIMARY KEY,
  at           BIGINT NOT NULL,
  actor_type   TEXT    NOT NULL,
  actor_id     TEXT    NOT NULL,
  action       TEXT    NOT NULL,
  target_type  TEXT    NOT NULL,
  target_id    TEXT    NOT NULL,
  organization TEXT    NOT NULL,
  record       TEXT    NOT NULL
);
CREATE INDEX audit_event_target ON audit_event (target_id, seq);
CREATE INDEX audit_event_organization ON audit_event (organization, seq);

CREATE TABLE audit_hash (
  idx  BIGINT NOT NULL PRIMARY KEY,
  hash BYTEA   NOT NULL
);

CREATE TABLE audit_checkpoint (
  size BIGINT NOT NULL PRIMARY KEY,
  at   BIGINT NOT NULL,
  note TEXT    NOT NULL
);
CREATE TABLE usage_hourly (
  credential   TEXT    NOT NULL,
  hour         BIGINT NOT NULL,
  route        TEXT    NOT NULL,
  status_class BIGINT NOT NULL,
  reason       TEXT    NOT NULL,
  organization TEXT    NOT NULL,
  environment  TEXT    NOT NULL,
  requests     BIGINT NOT NULL,
  bytes_out    BIGINT NOT NULL,
  latency_us   BIGINT NOT NULL,
  PRIMARY KEY (credential, hour, route, status_class, reason)
);
CREATE INDEX usage_hourly_hour ON usage_hourly (hour);
CREATE INDEX usage_hourly_organization ON usage_hourly (organization, hour);

CREATE TABLE request_log (
  at            BIGINT NOT NULL,
  request_id    TEXT   NOT NULL,
  credential    TEXT   NOT NULL,
  organization  TEXT   NOT NULL,
  environment   TEXT   NOT NULL,
  old_secret    BIGINT NOT NULL,
  method        TEXT   NOT NULL,
  host          TEXT   NOT NULL,
  route         TEXT   NOT NULL,
  path          TEXT   NOT NULL,
  status        BIGINT NOT NULL,
  reason        TEXT   NOT NULL,
  step          TEXT   NOT NULL,
  client        TEXT   NOT NULL,
  latency_us    BIGINT NOT NULL,
  bytes_out     BIGINT NOT NULL,
  contract_line BIGINT NOT NULL,
  detail        TEXT   NOT NULL,
  PRIMARY KEY (at, request_id)
) PARTITION BY RANGE (at);
CREATE INDEX request_log_id ON request_log (request_id);
CREATE INDEX request_log_credential ON request_log (credential, at);

CREATE TABLE request_log_gap (
  from_at  BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  dropped  BIGINT NOT NULL
);
CREATE INDEX request_log_gap_from ON request_log_gap (from_at);
