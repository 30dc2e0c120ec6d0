-- +goose Up
CREATE TABLE webhook_endpoint (
  id              TEXT    NOT NULL PRIMARY KEY,
  organization    TEXT    REFERENCES organization (id),
  url             TEXT    NOT NULL,
  events          TEXT    NOT NULL,
  description     TEXT    NOT NULL,
  sealed          BYTEA   NOT NULL,
  previous_sealed BYTEA,
  previous_until  BIGINT,
  failing_since   BIGINT,
  disabled_at     BIGINT,
  disabled_reason TEXT    NOT NULL,
  created_by      TEXT    NOT NULL,
  created_at      BIGINT  NOT NULL,
  updated_at      BIGINT  NOT NULL
);
CREATE INDEX webhook_endpoint_newest ON webhook_endpoint (created_at, id);
CREATE INDEX webhook_endpoint_organization ON webhook_endpoint (organization, created_at, id);

CREATE TABLE webhook_delivery (
  id           TEXT    NOT NULL PRIMARY KEY,
  message      TEXT    NOT NULL,
  endpoint     TEXT    NOT NULL REFERENCES webhook_endpoint (id),
  organization TEXT,
  type         TEXT    NOT NULL,
  credential   TEXT    NOT NULL,
  payload      TEXT    NOT NULL,
  status       TEXT    NOT NULL,
  tries        BIGINT  NOT NULL,
  attempts     TEXT    NOT NULL,
  due_at       BIGINT,
  claim        TEXT,
  created_at   BIGINT  NOT NULL,
  finished_at  BIGINT 
);
CREATE INDEX webhook_delivery_newest ON webhook_delivery (created_at, id);
CREATE INDEX webhook_delivery_organization ON webhook_delivery (organization, created_at, id);
CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint, created_at, id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at, endpoint) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_delivery_turn ON webhook_delivery (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE credential_address (
  credential TEXT    NOT NULL REFERENCES credential (id),
  address    TEXT    NOT NULL,
  first_at   BIGINT  NOT NULL,
  seen_at    BIGINT  NOT NULL,
  PRIMARY KEY (credential, address)
);
CREATE INDEX credential_address_seen ON credential_address (seen_at);

CREATE TABLE credential_leak (
  credential  TEXT    NOT NULL PRIMARY KEY REFERENCES credential (id),
  source      TEXT    NOT NULL,
  reported_at BIGINT  NOT NULL
);

CREATE INDEX credential_expires ON credential (expires_at, id) WHERE expires_at IS NOT NULL;
