-- +goose Up
CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organization (
  id           TEXT    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  folded       TEXT    NOT NULL,
  plan         TEXT    NOT NULL,
  limits       TEXT,
  suspended_at INTEGER,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX organization_newest ON organization (created_at, id);

CREATE TABLE member (
  id           TEXT    NOT NULL PRIMARY KEY,
  organization TEXT    NOT NULL REFERENCES organization (id),
  email        TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  folded       TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  disabled_at  INTEGER,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
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
  expires_at     INTEGER,
  last_used_at   INTEGER,
  disabled_at    INTEGER,
  revoked_at     INTEGER,
  revoked_reason TEXT    NOT NULL,
  created_by     TEXT    NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX credential_newest ON credential (created_at, id);
CREATE INDEX credential_organization ON credential (organization, created_at, id);
CREATE INDEX credential_member ON credential (member) WHERE member IS NOT NULL;

CREATE TABLE credential_secret (
  hash         BLOB    NOT NULL PRIMARY KEY,
  credential   TEXT    NOT NULL REFERENCES credential (id),
  hint         TEXT    NOT NULL,
  sealed       BLOB,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_secret_credential ON credential_secret (credential, created_at);

CREATE TABLE address_list (
  organization TEXT    NOT NULL REFERENCES organization (id),
  environment  TEXT    NOT NULL,
  prefixes     TEXT    NOT NULL,
  updated_at   INTEGER NOT NULL,
  PRIMARY KEY (organization, environment)
) STRICT, WITHOUT ROWID;

CREATE TABLE management_token (
  id           TEXT    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  hash         BLOB    NOT NULL UNIQUE,
  hint         TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX management_token_newest ON management_token (created_at, id);

CREATE TABLE day_count (
  owner TEXT    NOT NULL,
  day   INTEGER NOT NULL,
  n     INTEGER NOT NULL,
  PRIMARY KEY (owner, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX day_count_day ON day_count (day);

CREATE TABLE change_head (
  id  INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO change_head (id, seq) VALUES (1, 0);

CREATE TABLE change_log (
  seq    INTEGER NOT NULL PRIMARY KEY,
  kind   TEXT    NOT NULL,
  target TEXT    NOT NULL,
  at     INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_head (
  id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL
) STRICT;
INSERT INTO audit_head (id, size) VALUES (1, 0);

CREATE TABLE audit_event (
  seq          INTEGER NOT NULL PRIMARY KEY,
  at           INTEGER NOT NULL,
  actor_type   TEXT    NOT NULL,
  actor_id     TEXT    NOT NULL,
  action       TEXT    NOT NULL,
  target_type  TEXT    NOT NULL,
  target_id    TEXT    NOT NULL,
  organization TEXT    NOT NULL,
  record       TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_event_target ON audit_event (target_id, seq);
CREATE INDEX audit_event_organization ON audit_event (organization, seq);

CREATE TABLE audit_hash (
  idx  INTEGER NOT NULL PRIMARY KEY,
  hash BLOB    NOT NULL
) STRICT;

CREATE TABLE audit_checkpoint (
  size INTEGER NOT NULL PRIMARY KEY,
  at   INTEGER NOT NULL,
  note TEXT    NOT NULL
) STRICT;
