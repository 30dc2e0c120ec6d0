-- +goose Up
-- Usage added up again: by credential and day, and without credentials by hour and by day.
-- What an organization with many keys did is told without a look at every key.
CREATE TABLE usage_daily (
  credential   TEXT    NOT NULL,
  day          INTEGER NOT NULL,
  organization TEXT    NOT NULL,
  environment  TEXT    NOT NULL,
  requests     INTEGER NOT NULL,
  denied       INTEGER NOT NULL,
  limited      INTEGER NOT NULL,
  bytes_out    INTEGER NOT NULL,
  latency_us   INTEGER NOT NULL,
  PRIMARY KEY (credential, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_daily_most ON usage_daily (organization, day, requests);
CREATE INDEX usage_daily_day ON usage_daily (day);
INSERT INTO usage_daily (credential, day, organization, environment, requests, denied, limited, bytes_out, latency_us)
SELECT credential, hour / 86400000000 * 86400000000, max(organization), max(environment), sum(requests),
  sum(CASE WHEN reason IN ('allowed', 'upstream_failed', 'upstream_timeout') THEN 0 ELSE requests END),
  sum(CASE WHEN reason IN ('rate_limited', 'quota_exceeded') THEN requests ELSE 0 END), sum(bytes_out), sum(latency_us)
FROM usage_hourly WHERE credential <> '' GROUP BY 1, 2;

CREATE TABLE usage_total (
  organization TEXT    NOT NULL,
  hour         INTEGER NOT NULL,
  environment  TEXT    NOT NULL,
  route        TEXT    NOT NULL,
  status_class INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  requests     INTEGER NOT NULL,
  bytes_out    INTEGER NOT NULL,
  latency_us   INTEGER NOT NULL,
  PRIMARY KEY (organization, hour, environment, route, status_class, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_total_hour ON usage_total (hour);
INSERT INTO usage_total (organization, hour, environment, route, status_class, reason, requests, bytes_out, latency_us)
SELECT organization, hour, environment, route, status_class, reason, sum(requests), sum(bytes_out), sum(latency_us)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TABLE usage_total_daily (
  organization TEXT    NOT NULL,
  day          INTEGER NOT NULL,
  environment  TEXT    NOT NULL,
  route        TEXT    NOT NULL,
  status_class INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  requests     INTEGER NOT NULL,
  bytes_out    INTEGER NOT NULL,
  latency_us   INTEGER NOT NULL,
  PRIMARY KEY (organization, day, environment, route, status_class, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_total_daily_day ON usage_total_daily (day);
INSERT INTO usage_total_daily (organization, day, environment, route, status_class, reason, requests, bytes_out, latency_us)
SELECT organization, hour / 86400000000 * 86400000000, environment, route, status_class, reason, sum(requests), sum(bytes_out), sum(latency_us)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5, 6;
