-- +goose Up
CREATE TABLE usage_hourly (
  credential   TEXT    NOT NULL,
  hour         INTEGER NOT NULL,
  route        TEXT    NOT NULL,
  status_class INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  organization TEXT    NOT NULL,
  environment  TEXT    NOT NULL,
  requests     INTEGER NOT NULL,
  bytes_out    INTEGER NOT NULL,
  latency_us   INTEGER NOT NULL,
  PRIMARY KEY (credential, hour, route, status_class, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_hourly_hour ON usage_hourly (hour);
CREATE INDEX usage_hourly_organization ON usage_hourly (organization, hour);
